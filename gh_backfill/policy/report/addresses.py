"""Addresses of runs at GitHub."""

from __future__ import annotations


def run_address(server_url: str, repository: str | None, run_id: int | None, attempt: int) -> str | None:
    """Return the address of a run's page; None for one that has no page."""
    if repository is None or run_id is None:
        return None
    return f"{server_url}/{repository}/actions/runs/{run_id}" + (f"/attempts/{attempt}" if attempt > 1 else "")
