"""ROOM writes."""
