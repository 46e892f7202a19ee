"""ROOM fast_path."""
