"""Measured numbers; everything that sees labels."""
