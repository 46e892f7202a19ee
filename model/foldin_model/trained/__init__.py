"""ROOM trained."""
