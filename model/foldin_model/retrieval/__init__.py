"""ROOM retrieval."""
