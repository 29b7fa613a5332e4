"""The keys by which orders are sorted and cursors made."""

from __future__ import annotations

Key = tuple[str, int, int]
"""Where a row stands in an order: the value it is sorted by ("" for the order of ids), its id, and where to find it."""
