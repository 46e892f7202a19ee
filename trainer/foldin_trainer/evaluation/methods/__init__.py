"""The methods that are compared: the served model, baselines, and reference rankers."""
