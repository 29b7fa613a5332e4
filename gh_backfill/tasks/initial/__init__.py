"""The initial backfill: repositories that are added in bulk, the newest pull requests of each first."""
