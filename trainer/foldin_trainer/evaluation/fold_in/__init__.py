"""Measures fold-in: its learning curve, steps against the exact solve, and against a retrain."""
