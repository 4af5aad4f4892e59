"""Robust clustering: an attack on the embedding, a defence against it, and attacks on what was defended."""
