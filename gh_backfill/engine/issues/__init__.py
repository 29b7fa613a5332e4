"""What the engine knows of issues alone."""
