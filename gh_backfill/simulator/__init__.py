"""A GitHub for the demo, the tests and the benchmarks.  Imports nothing of the package but `resources`."""
