"""The terminal: what a person sees of the work there."""
