"""Settings that must be in place before anything is imported."""

import os

# Lets scikit-learn dispatch on torch and array-api-strict arrays.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
