"""ROOM commands."""
