"""What is decided about issues alone."""
