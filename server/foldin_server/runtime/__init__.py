"""ROOM runtime."""
