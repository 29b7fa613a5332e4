"""Aggressive backfills: everything of one repository, in three steps that each go on where they were."""
