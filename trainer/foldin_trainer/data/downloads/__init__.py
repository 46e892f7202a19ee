"""Fetches MovieLens editions over the network into the cache."""
