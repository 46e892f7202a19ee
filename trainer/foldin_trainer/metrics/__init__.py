"""Measures the quality of lists and predicted ratings, with bootstrap intervals and tests.

Nothing here trains a model or depends on how lists are made.
"""
