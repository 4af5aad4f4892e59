"""Robust contrastive learning: encoders, their clusters, and pushes towards the neighbouring one."""
