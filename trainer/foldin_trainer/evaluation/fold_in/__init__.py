"""Measures fold-in: the learning curve, steps against the exact solve, fold-in against a retrain."""
