"""The chunk engine: claims, fetches, follow-ups, commits, and what is shared by many workers."""
