"""Trains ranking heads: `ials`, `ease`, `encoder` and their `ensemble`, each as a `ranking.Ranking`."""
