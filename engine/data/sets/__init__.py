"""Registered data: one file a data set, found by itself. These files import no torch at their top: cards are
read without it.
"""
