"""Runs on disk: what a run is, its folder, lock and checkpoint; the zoo; the catalogue."""
