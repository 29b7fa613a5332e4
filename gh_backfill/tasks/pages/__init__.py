"""What the pages show: each page in a few statements, as values that are also its JSON."""
