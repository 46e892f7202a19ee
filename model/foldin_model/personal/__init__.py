"""ROOM personal."""
