"""What every head declares: its settings with their limits, its search space, its registration."""
