"""Measures fold-in: the learning curve, steps against the exact solve, and against a retrain."""
