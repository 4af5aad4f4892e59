"""What an attacker wants: one objective a file."""
