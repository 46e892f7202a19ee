"""ROOM transport."""
