"""The sentences of pages, as pure functions."""
