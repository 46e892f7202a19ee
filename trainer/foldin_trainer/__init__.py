"""How models are made: data sets, metrics, training, evaluation, the search for settings, commands.

The rooms stand one above the other and import only downwards: `commands`, `tuning`,
`evaluation`, `learning`, `metrics`, `data`.
"""
