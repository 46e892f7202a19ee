"""Evaluates models: protocols, compared methods, the evaluation run and its report."""
