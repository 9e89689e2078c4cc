"""Connections: what tools send, and what they are answered."""
