"""Links, session state and the handle on the engine."""
