"""Ratings and catalog changes on their way to the store."""
