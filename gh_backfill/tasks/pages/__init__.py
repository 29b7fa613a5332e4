"""The contents of the pages: each page in a few statements, as values that are also its JSON."""
