"""Strings as arrays of bytes: lookup of rows by id, postings by key, title search."""
