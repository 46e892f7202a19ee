"""Rating heads, which predict ratings: a folder each. `head.py` in it is the registration."""
