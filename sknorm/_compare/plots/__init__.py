"""A comparison as pictures."""
