"""Fetch the events of repositories: stars, forks, and what else happened, each from the best source that answers."""
