"""Hold what is here of a repository against GitHub, mend what differs, and certify the result."""
