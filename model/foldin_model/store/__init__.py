"""The feature store: ratings, which are the truth, and published models, which are derived."""
