"""Bring the history of GitHub repositories home, into PostgreSQL or Supabase."""

__version__ = "0.1.0"
