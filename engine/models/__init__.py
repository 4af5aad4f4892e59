"""Victims: one file a method."""
