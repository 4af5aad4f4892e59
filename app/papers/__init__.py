"""What only the pages of one paper show."""
