"""The engine's catalogue as widgets, and back as a validated choice."""
