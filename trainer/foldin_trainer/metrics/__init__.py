"""Measures the quality of lists and predicted ratings, and how far chance may move the numbers.

Nothing here trains, and nothing knows where lists come from.
"""
