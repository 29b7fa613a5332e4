"""Decisions: pure functions.  Values and `now` in, a verdict out; no network, no database, no clock."""
