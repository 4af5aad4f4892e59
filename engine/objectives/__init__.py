"""What an attacker wants: one objective a file, found by the registry."""

from engine.objectives.weighted_sum import combine

__all__ = ["combine"]
