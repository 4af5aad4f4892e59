"""Questions that a page asks and waits for, and their answers."""
