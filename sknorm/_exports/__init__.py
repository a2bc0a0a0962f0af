"""Ways out of Python: state as plain JSON."""
