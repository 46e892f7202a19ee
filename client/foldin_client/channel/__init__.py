"""ROOM channel."""
