"""Compares models: protocols, methods, the evaluation run, and its report."""
