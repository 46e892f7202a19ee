"""The rating head `bayes`: matrix factorization by block Gibbs sampling.

`training.train_bayes` does all of it, `head` registers it.
"""
