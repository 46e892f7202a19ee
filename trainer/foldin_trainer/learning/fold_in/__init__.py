"""Prepares fold-in: user priors, the served quadratic heads, and constants chosen on held-out users."""
