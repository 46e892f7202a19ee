"""Trains ranking heads: `ials`, `ease`, `encoder` and `ensemble`, each a `ranking.Ranking`."""
