"""The rating head `mf`: matrix factorization with biases, by mini-batch Adam on squared error."""
