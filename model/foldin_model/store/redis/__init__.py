"""ROOM redis."""
