"""Learns a model from ratings: rating head, ranking head, constants of fold-in, item tables.

`training.train` does all of it; `heads` lists the heads. Nothing here reads files or writes to a
store.
"""
