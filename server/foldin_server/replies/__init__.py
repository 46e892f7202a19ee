"""ROOM replies."""
