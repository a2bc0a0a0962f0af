"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
from importlib import metadata, util

from sknorm._backends import dispatch

PACKAGES = ("sknorm", "scikit-learn", "numpy", "scipy", "torch")


def describe() -> dict[str, str]:
    """Return the machine and the versions, as labeled text."""
    versions = [f"{name} {metadata.version(name)}" for name in PACKAGES if _is_installed(name)]
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": _memory(),
        "system": f"{platform.system()} on {platform.machine()}",
        "versions": f"Python {platform.python_version()}, " + ", ".join(versions),
        "loops": _loops(),
        "threads": "one, but where two are named",
    }


def _is_installed(name: str) -> bool:
    return util.find_spec({"scikit-learn": "sklearn"}.get(name, name)) is not None


def _loops() -> str:
    if not dispatch.HAS_KERNELS:
        return "not built: the reference path"
    if os.environ.get("SKNORM_FORCE_REFERENCE", "0") not in ("", "0"):
        return "turned off: the reference path"
    return f"compiled, {dispatch.BUILD}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "unknown"
    return f"{size / 2**30:.0f} GB"
