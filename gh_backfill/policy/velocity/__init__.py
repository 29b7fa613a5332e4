"""Stars and forks a day, and how sure that is: a day that nobody covered is unknown, never zero."""
