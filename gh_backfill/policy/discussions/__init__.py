"""Decisions about discussions alone."""
