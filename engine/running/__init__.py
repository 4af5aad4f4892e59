"""What takes time: train, attack, sweep, pairs, map; and the runner that turns a spec into a folder."""
