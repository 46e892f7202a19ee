"""ROOM texts."""
