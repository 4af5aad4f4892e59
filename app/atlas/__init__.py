"""What only the page Atlas shows."""
