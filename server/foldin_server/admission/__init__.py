"""ROOM admission."""
