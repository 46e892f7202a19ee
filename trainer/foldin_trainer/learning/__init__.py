"""Learns a model from ratings: rating head, ranking head, the constants of fold-in, item tables.

`training.train` is the whole of it; nothing here reads files or writes to a store.
"""
