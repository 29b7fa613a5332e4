"""Use cases: one file per command.  The only place where network and database meet."""
