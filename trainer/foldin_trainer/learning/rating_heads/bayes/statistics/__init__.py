"""Statistics of the samples: posterior mean, variances, and convergence diagnostics."""
