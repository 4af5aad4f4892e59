"""Data: what a data set is, where it comes from, and what a person brings."""
