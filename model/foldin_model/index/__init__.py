"""ROOM index."""
