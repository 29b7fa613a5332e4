"""The kind of issues."""
