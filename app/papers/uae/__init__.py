"""Unsupervised adversarial examples: unlike their originals, handled as well; and what they are worth."""
