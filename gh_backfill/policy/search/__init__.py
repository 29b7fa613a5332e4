"""Decisions about a search: the words of what is asked, and the order of what is found."""
