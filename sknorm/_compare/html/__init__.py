"""A comparison as an HTML page."""
