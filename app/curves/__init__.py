"""What only the Curves page shows."""
