"""What only the Inspect page shows."""
