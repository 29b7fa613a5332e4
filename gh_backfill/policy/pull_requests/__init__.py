"""Decisions on pull requests."""
