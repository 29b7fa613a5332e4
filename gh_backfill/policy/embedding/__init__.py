"""Decisions about vectors of texts: what is embedded of an item, in which order, and what it costs."""
