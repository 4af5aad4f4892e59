"""Several views of one thing, both attacked, or one while the other is locked."""
