"""The rating head `bayes`: matrix factorization by block Gibbs sampling.

`training.train_bayes` is the whole of it; how its factors become a served head is
`learning.fold_in.quadratic_heads`.
"""
