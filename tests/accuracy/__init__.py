"""How often the engine is right, on the project's own labelled messages."""
