"""The tests. A package, since some distributions install one of this name, which would be found."""
