"""Searches for the settings of a method that do best on ratings held out from training."""
