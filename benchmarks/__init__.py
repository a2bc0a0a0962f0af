"""How fast sknorm is, and how much memory it takes: ``python -m benchmarks``."""
