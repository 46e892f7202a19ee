"""ROOM recommend."""
