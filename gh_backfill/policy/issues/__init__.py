"""Decisions about issues alone."""
