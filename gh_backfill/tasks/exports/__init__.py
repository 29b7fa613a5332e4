"""Export: what is stored, as files for other programs."""
