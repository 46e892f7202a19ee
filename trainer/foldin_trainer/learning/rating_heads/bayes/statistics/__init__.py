"""What is computed from the samples: posterior mean and spread, and convergence diagnostics."""
