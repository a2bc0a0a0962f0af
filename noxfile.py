"""Development tasks, each in an environment of its own: ``nox``, or ``nox -s lint``."""

import nox

nox.options.sessions = ["lint", "tests", "reference", "docs"]


@nox.session
def lint(session):
    """Check style, spelling and types."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell")
    session.run("mypy")


@nox.session
def tests(session):
    """Run the tests on the compiled loops."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", *session.posargs, env={"SKNORM_REQUIRE_KERNELS": "1"})


@nox.session
def reference(session):
    """Run the tests on the reference path."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", *session.posargs, env={"SKNORM_FORCE_REFERENCE": "1"})


@nox.session(venv_backend="none")
def oldest(session):
    """Run the tests of the scalers on the oldest versions declared."""
    session.run("bash", ".ci/oldest", external=True)


@nox.session(venv_backend="none", name="free-threaded")
def free_threaded(session):
    """Run the tests of the scalers on an interpreter without a global lock."""
    session.run("bash", ".ci/free-threaded", external=True)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def versions(session):
    """Run the tests on every version of Python that there is here."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def coverage(session):
    """Tell which lines the tests leave out, of which there is a limit."""
    session.install("-e", ".[test]", "pytest-cov")
    # Python 3.12 and newer: by its own monitoring, which is several times faster.
    session.run("pytest", "-n", "2", "--cov=sknorm", env={"COVERAGE_CORE": "sysmon"})


@nox.session
def docs(session):
    """Build the documentation, with warnings as errors."""
    session.install("-e", ".[docs]")
    session.run("python", "-m", "sphinx", "-W", "-q", "docs", "docs/_build/html")
