"""Divides a data set into training parts and cases, by a protocol or by two files."""
