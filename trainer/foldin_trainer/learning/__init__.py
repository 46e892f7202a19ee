"""Learns a model from ratings: the two heads, their priors, clusters and similar items.

`training.train` is the whole of it; nothing here reads files or writes to a store.
"""
