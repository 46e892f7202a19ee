"""Reads files of ratings, items and users, of MovieLens editions or the caller's own."""
