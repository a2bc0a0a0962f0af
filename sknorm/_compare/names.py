"""Names that the whole comparison uses."""

# The candidate that leaves the features as they are.
NONE = "none"
