"""Prepares fold-in: user priors, the served heads, and constants chosen on held-out users."""
