"""The pages, each a function from what is asked to data and a template."""
