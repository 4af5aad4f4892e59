"""What takes time: spec and key, store, runner, pool."""
