"""Exact and approximate search for the rows of a matrix with the greatest inner products."""
