"""What only the Compare page shows: two to four slots, each a model under an attack."""
