"""Takes the place of the package where a test is about a workflow file alone."""
