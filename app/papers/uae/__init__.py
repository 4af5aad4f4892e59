"""Unsupervised adversarial examples: what looks wrong and is handled well, and what it is worth."""
