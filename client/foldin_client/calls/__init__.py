"""ROOM calls."""
