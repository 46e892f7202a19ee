"""ROOM output."""
