"""Fold-in: user vectors from rating histories, with the item vectors held fixed.

Heads, their serving kinds, and the solvers.
"""
