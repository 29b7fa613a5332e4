"""Aggressive backfills: their steps, what they will take, and how they are proven."""
