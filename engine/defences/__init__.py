"""Training recipes whose product is an ordinary model."""
