"""ROOM lifecycle."""
