"""What is installed, and which path the work takes."""

from __future__ import annotations

import importlib.metadata
import platform
import sys

import numpy as np

from sknorm._backends import dispatch
from sknorm._backends.loader import REINSTALL, build_errors
from sknorm._compat import version

__version__ = version()
NAMES = ("sknorm", "scikit-learn", "numpy", "scipy", "pandas", "polars", "torch")


def show_versions() -> None:
    """Print the versions that matter, and whether the compiled kernels are in use.

    Examples
    --------
    >>> import sknorm
    >>> sknorm.show_versions()  # doctest: +ELLIPSIS
    sknorm...
    """
    for name in NAMES:
        try:
            print(f"{name:<13} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            print(f"{name:<13} not installed")
    print(f"{'python':<13} {sys.version.split()[0]} on {platform.platform()}")
    for line in build_errors().splitlines():
        print(f"{'not built':<13} {line}")
    print(f"{'kernels':<13} {_kernel_state()}")


def _kernel_state() -> str:
    if not dispatch.HAS_KERNELS:
        return f"not built: the reference path serves everything, more slowly. {REINSTALL}"
    if not dispatch.uses_kernels(np.empty(0)):
        return "compiled, but turned off by SKNORM_FORCE_REFERENCE"
    return f"compiled, for {dispatch.BUILD}"
