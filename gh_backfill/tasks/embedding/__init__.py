"""Give texts their vectors: who makes them, the run itself, and how far it is."""
