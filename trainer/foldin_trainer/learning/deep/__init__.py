"""A neural user encoder over the item vectors of the linear one, to be measured beside it.

It is not served: `benchmarks/deep.py` compares both, and the page of results has what it found.
"""
