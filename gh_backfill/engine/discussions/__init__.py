"""Discussions as the engine captures them."""
