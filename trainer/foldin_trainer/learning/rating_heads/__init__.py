"""Trains rating heads: `mf` and `bayes`, both with `factors.RatingFactors` as the result."""
