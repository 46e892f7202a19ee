"""How models are made: data, splits, training, evaluation and publishing.

Nothing here serves a request; what a finished model is and does lives in `foldin_model`.
"""
