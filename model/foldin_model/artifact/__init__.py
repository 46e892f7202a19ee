"""ROOM artifact."""
