"""What a trained model is, and how it is folded, searched, explained and kept.

Pure mathematics takes arrays and returns arrays; the feature store lives in `foldin_model.store`.
"""
