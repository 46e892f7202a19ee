"""Fetches MovieLens editions over the network and puts them into the cache."""
