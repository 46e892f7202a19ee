"""ROOM overlay."""
