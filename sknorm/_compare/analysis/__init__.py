"""What the fits of a comparison say, in numbers."""
