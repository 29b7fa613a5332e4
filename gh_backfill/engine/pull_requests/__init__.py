"""The kind of pull requests."""
