"""ROOM records."""
