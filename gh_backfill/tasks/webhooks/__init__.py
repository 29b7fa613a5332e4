"""Take what GitHub announces, and fetch it."""
