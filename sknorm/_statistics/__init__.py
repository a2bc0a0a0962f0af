"""Values that the estimators compute with: moments and affine maps."""
