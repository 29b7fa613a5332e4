"""Close a run and tell of it."""
