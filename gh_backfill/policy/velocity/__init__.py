"""How fast stars and forks come, by the day, and how sure that is: what nobody covered is unknown, never zero."""
