"""The feature store: its protocols, keys and URLs, and the one place that opens it.

Ratings are the source of truth; published models are derived from them. `redis` and `memory` hold
the classes that implement the protocols, `scripts` the Lua that makes changes atomic.
"""
