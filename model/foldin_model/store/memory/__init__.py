"""ROOM memory."""
