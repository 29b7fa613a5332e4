"""Bring the history of GitHub repositories home, into PostgreSQL or Supabase."""

__version__ = "0.1.0"
# Where this is published, as owner/name: who publishes it says so here, and nowhere else.  OWNER stands for nobody.
REPOSITORY = "OWNER/gh_backfill"
