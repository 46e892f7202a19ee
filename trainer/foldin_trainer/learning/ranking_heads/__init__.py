"""Ranking heads, which order lists: a folder each. `head.py` in it is the registration."""
