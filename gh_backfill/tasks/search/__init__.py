"""Searches: what is asked for, and what is found."""
