"""What the engine knows of pull requests alone."""
