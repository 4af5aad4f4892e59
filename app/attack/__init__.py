"""What only the Attack page shows."""
