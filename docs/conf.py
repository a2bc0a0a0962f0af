"""Settings of the Sphinx documentation: ``python -m sphinx -W docs docs/_build/html``."""

from importlib.metadata import version as _version

project = "sknorm"
author = "The sknorm developers"
copyright = "The sknorm developers"  # noqa: A001
version = release = _version("sknorm")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
# The gallery is built into _build as well, so that nothing generated lies among the sources.
exclude_patterns = ["_build/html", "_build/doctrees", "_build/jupyter_execute"]
html_theme = "furo"
html_title = f"sknorm {version}"
myst_heading_anchors = 3

numpydoc_show_class_members = False
autodoc_member_order = "bysource"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "_build/examples",
    # Run every script, not only those whose names begin with plot_.
    "filename_pattern": r"\.py",
    "download_all_examples": False,
    "write_computation_times": False,
    "show_memory": False,
}


def escape(app, what, name, obj, options, lines):
    """Escape what numpydoc would read as markup in the types of parameters and attributes."""
    for number, line in enumerate(lines):
        line = line.replace(", *positions)", r", \*positions)")
        lines[number] = line.replace("shape (n_features_in_,)", r"shape (n_features_in\_,)")


def setup(app):
    """Let ``escape`` see docstrings before numpydoc does."""
    app.connect("autodoc-process-docstring", escape, priority=400)
