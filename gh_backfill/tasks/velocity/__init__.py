"""Figures over time: how fast stars and forks come, and which days are known."""
