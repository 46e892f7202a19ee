"""Registrations of heads: settings with their limits, search spaces, the registry itself."""
