"""How the compiled loops are built; setuptools reads this file, and nothing imports it.

The loops are built for any processor, and on x86-64 with AVX2 as well, those over values with
AVX-512 too (see ``loader.py``). There is no ``-ffast-math``, so that NaN and infinity keep their
meaning, and no fused multiply-add, so that all builds give the same bits. With ``-O2`` norms and
layers take up to twice as long, and the compiler three quarters of the time: it is for the builds
that only old processors use. A build that fails does not fail the installation: it is written down
in ``build_errors.txt``, which ``show_versions`` shows.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Any

from Cython.Build import cythonize
from setuptools import Extension
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

HERE = "sknorm/_backends/kernels"
FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-g0"]
# Each module, the source that it is built from, and flags of its own. Those that take the
# compiler longest come first.
ON_X86_64 = {
    "_values_v4": ("_values.pyx", ["-march=x86-64-v4", "-mprefer-vector-width=512"]),
    "_values_v3": ("_values.pyx", ["-march=x86-64-v3"]),
    "_indices_v3": ("_indices.pyx", ["-march=x86-64-v3"]),
}
ANYWHERE: dict[str, tuple[str, list[str]]] = {
    "_values": ("_values.pyx", []),
    "_indices": ("_indices.pyx", []),
}
ON_OLD_X86_64 = ["-O2"]
PARTS = ("*.pyx", "*.pxi", "*.h")


class BuildKernels(build_ext):
    """Build all modules of loops, in place of the one that ``pyproject.toml`` names."""

    def finalize_options(self) -> None:
        """Make the list of modules for the processor that is built for."""
        self.errors: dict[str, str] = {}
        self.translated: dict[str, str] = {}
        self.translating = Lock()
        machine = self.plat_name or self.get_finalized_command("build").plat_name
        on_x86_64 = machine.endswith(("x86_64", "amd64"))
        modules = dict(ANYWHERE)
        if on_x86_64:
            old = {name: (source, ON_OLD_X86_64) for name, (source, _) in ANYWHERE.items()}
            modules = ON_X86_64 | old
        parts = [os.fspath(path) for kind in PARTS for path in sorted(Path(HERE).glob(kind))]
        self.distribution.ext_modules = [
            Extension(
                f"{HERE.replace('/', '.')}.{name}",
                [f"{HERE}/{source}"],
                depends=parts,
                include_dirs=[HERE],
                extra_compile_args=[*FLAGS, *flags],
            )
            for name, (source, flags) in modules.items()
        ]
        super().finalize_options()
        # The compiler runs for each module by itself, and takes most of the time.
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        """Build, and write down what failed where the modules are."""
        super().run()
        base = Path() if self.inplace else Path(self.build_lib)
        report = base / HERE / "build_errors.txt"
        report.unlink(missing_ok=True)
        if self.errors:
            report.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{name}: {error}" for name, error in self.errors.items()]
            report.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def build_extension(self, ext: Any) -> None:
        """Build one module, and go on where that fails."""
        name = ext.name.rpartition(".")[2]
        source = ext.sources
        try:
            ext.sources = [self._c_file(name, *source)]
            super().build_extension(ext)
        except Exception as error:
            self.errors[name] = " ".join(str(error).split())[:500]
            self.warn(f"{name} could not be built: {error}")
        finally:
            ext.sources = source

    def _c_file(self, name: str, source: str) -> str:
        """Return C for a module; Cython runs once for all that have the same source."""
        with self.translating:
            if source not in self.translated:
                stem = Path(source).stem
                module = Extension(f"{HERE.replace('/', '.')}.{stem}", [source])
                (made,) = cythonize([module], build_dir=self.build_temp)
                self.translated[source] = Path(made.sources[0]).resolve().as_posix()
        path = Path(self.build_temp, f"{name}.c")
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            f"#define PyInit_{Path(source).stem} PyInit_{name}",
            f'#include "{self.translated[source]}"',
            "",
        ]
        path.write_text("\n".join(lines), encoding="utf-8")
        return os.fspath(path)

    def copy_extensions_to_source(self) -> None:
        """Copy what was built."""
        built = self.extensions
        self.extensions = [e for e in built if e.name.rpartition(".")[2] not in self.errors]
        super().copy_extensions_to_source()
        self.extensions = built

    def get_outputs(self) -> list[str]:
        """Return what was built, and what says why the rest was not."""
        failed = tuple(self.errors)
        outputs = [
            path
            for path in super().get_outputs()
            if Path(path).name.partition(".")[0] not in failed
        ]
        report = Path(self.build_lib) / HERE / "build_errors.txt"
        return [*outputs, os.fspath(report)] if failed else outputs


class Sdist(sdist):
    """A source archive that its own tests run from."""

    def make_distribution(self) -> None:
        """Add the tests, and what they read."""
        for folder in ("tests", "docs", "examples", "benchmarks", ".ci"):
            self.filelist.graft(folder)
        for name in ("CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff"):
            self.filelist.include(name)
        for pattern in ("*.py[co]", "*.so", "*.pyd"):
            self.filelist.global_exclude(pattern)
        for folder in ("docs/_build", "docs/auto_examples"):
            self.filelist.prune(folder)
        super().make_distribution()
