"""Names and defaults that the function and the command share."""

# The candidate that leaves the features as they are.
NONE = "none"

# Folds are the evidence that intervals rest on; initializations in a fold only steady its score.
N_FOLDS = 10
N_SEEDS = 2

# What a scikit-learn user has, and so what the others are compared with beside going without.
REFERENCE = "StandardScaler"
