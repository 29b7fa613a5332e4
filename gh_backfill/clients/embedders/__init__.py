"""Those who make vectors of texts: an OpenAI-compatible service, a model on this machine, and hashing for tests."""
