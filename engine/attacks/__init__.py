"""How an attacker gets it: one attack a file, found by the registry."""
