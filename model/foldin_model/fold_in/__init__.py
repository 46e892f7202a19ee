"""ROOM fold_in."""
