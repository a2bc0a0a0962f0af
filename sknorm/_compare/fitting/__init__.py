"""The fits of a comparison."""
