"""A neural user encoder over the item vectors of the linear one, to be measured beside it.

It is not served, for it adds nothing: NDCG@10 of held-out users over the linear encoder's is 0.997
[0.988, 1.008] on ml-latest-small and 0.995 [0.986, 1.003] on ml-100k, for the liked items 0.999
[0.987, 1.011] and 0.998 [0.987, 1.009] (`python benchmarks/deep.py --no-served`).
"""
