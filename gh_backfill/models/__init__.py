"""The values that travel between the layers."""
