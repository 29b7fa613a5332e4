"""Events of repositories and their sources: what is asked, when again, and what the answers cover."""
