"""The work on arrays: compiled loops, their reference, and the choice between them."""
