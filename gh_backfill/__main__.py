"""`python -m gh_backfill`: the command line, for a checkout whose package is not installed."""

from gh_backfill.cli import main

main()
