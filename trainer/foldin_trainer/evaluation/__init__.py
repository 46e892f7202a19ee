"""How good a model is: metrics, protocols, baselines, and what is shown of them."""
