"""A run wanted by its spec: find, start, follow, list and reproduce it."""
