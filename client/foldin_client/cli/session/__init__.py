"""ROOM session."""
