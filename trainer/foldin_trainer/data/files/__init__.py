"""Reads files of ratings, items, tags and users: MovieLens editions, CSV and Parquet."""
