"""The compiled loops, in the build for this processor.

The loops over values that lie side by side are compiled three times: for any processor, and with
AVX2 and AVX-512 (the levels v3 and v4 of x86-64), which are up to three times faster. All give the
same bits: the order of operations is fixed, and multiplications and additions are never fused. On
other processors and compilers the last two are not built. The loops over the indices of sparse
arrays gain up to a half by AVX2 and no more by AVX-512, and are compiled twice.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, cast

from sknorm._backends.protocol import Kernels

REINSTALL = (
    "With a C compiler, install it again: pip install --no-cache-dir --force-reinstall, followed "
    "by what you installed it from."
)
LEVELS = {
    4: ("_values_v4", "_indices_v3", "AVX-512"),
    3: ("_values_v3", "_indices_v3", "AVX2"),
}


class Build(Kernels, Protocol):
    """The compiled loops over values and over indices, as one."""

    def constants(self) -> tuple[int, int, float, float]:
        """Return what must equal the constants of ``moments``."""


def load() -> tuple[Build | None, str]:
    """Return the compiled loops, or None where there are none, and what they are for."""
    try:
        return next(builds())
    except ImportError as error:
        if os.environ.get("SKNORM_REQUIRE_KERNELS", "0") not in ("", "0"):
            raise ImportError(
                "SKNORM_REQUIRE_KERNELS is set, but sknorm was installed without its compiled "
                f"extension. {REINSTALL}"
            ) from error
        return None, "not built"


def builds() -> Iterator[tuple[Build, str]]:
    """Yield the builds that are there and run on this processor, the fastest first."""
    baseline = _module("_values"), _module("_indices")
    level = baseline[0].processor_level()
    for needed, (values, indices, instructions) in LEVELS.items():
        if level >= needed:
            with suppress(ImportError):
                yield _joined(_module(values), _module(indices)), instructions
    yield _joined(*baseline), "any processor"


def _joined(*modules: Any) -> Build:
    loops = {k: v for m in modules for k, v in vars(m).items() if not k.startswith("_")}
    return cast(Build, SimpleNamespace(**loops))


def _module(name: str) -> Any:
    return importlib.import_module(f"sknorm._backends.kernels.{name}")


def build_errors() -> str:
    """Return why builds are missing, one per line; "" where all of them could be made."""
    report = Path(__file__).with_name("kernels") / "build_errors.txt"
    return report.read_text(encoding="utf-8").strip() if report.exists() else ""
