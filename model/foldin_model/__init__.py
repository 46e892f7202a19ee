"""A trained model: what it is, and how it is folded, searched, explained and stored.

The mathematics takes arrays and returns arrays; the feature store is `foldin_model.store`.
"""
