"""Takes the place of pip where a test is about what comes after an install: everything is here already."""
