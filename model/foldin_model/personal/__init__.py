"""What one user's answer needs: their vectors, explanations and prediction intervals."""
