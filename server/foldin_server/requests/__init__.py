"""ROOM requests."""
