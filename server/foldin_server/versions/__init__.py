"""ROOM versions."""
