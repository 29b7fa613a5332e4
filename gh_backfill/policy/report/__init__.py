"""Reports: their words, and whom they tell."""
