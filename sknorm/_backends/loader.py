"""The compiled loops, in the build for this processor.

The same source is compiled three times: for any processor, and with AVX2 and AVX-512 (the levels
v3 and v4 of x86-64), which are up to three times faster. All give the same bits: the order of
operations is fixed, and multiplications and additions are never fused. On other processors and
compilers the last two are not built.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Protocol, cast

from sknorm._backends.protocol import Kernels

REINSTALL = (
    "With a C compiler, install it again: pip install --no-cache-dir --force-reinstall, followed "
    "by what you installed it from."
)
BUILDS = {4: ("_kernels_v4", "AVX-512"), 3: ("_kernels_v3", "AVX2")}


class Build(Kernels, Protocol):
    """The compiled loops, in one build."""

    def processor_level(self) -> int:
        """Return 4 where the processor has AVX-512, 3 where it has AVX2, else 0."""

    def constants(self) -> tuple[int, int, float, float]:
        """Return what must equal the constants of ``moments``."""


def load() -> tuple[Build | None, str]:
    """Return the module of compiled loops, or None where there is none, and what it is for."""
    try:
        baseline = _module("_kernels")
    except ImportError as error:
        if os.environ.get("SKNORM_REQUIRE_KERNELS", "0") not in ("", "0"):
            raise ImportError(
                "SKNORM_REQUIRE_KERNELS is set, but sknorm was installed without its compiled "
                f"extension. {REINSTALL}"
            ) from error
        return None, "not built"
    level = baseline.processor_level()
    for needed, (name, instructions) in BUILDS.items():
        if level >= needed:
            try:
                return _module(name), instructions
            except ImportError:
                continue
    return baseline, "any processor"


def _module(name: str) -> Build:
    return cast(Build, importlib.import_module(f"sknorm._backends.kernels.{name}"))


def build_errors() -> str:
    """Return why builds are missing, one per line; "" where all of them could be made."""
    report = Path(__file__).with_name("kernels") / "build_errors.txt"
    return report.read_text(encoding="utf-8").strip() if report.exists() else ""
