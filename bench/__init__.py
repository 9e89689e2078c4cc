"""Measures speed, memory and accuracy. Run it from the project's folder; nothing here is part of the service."""
