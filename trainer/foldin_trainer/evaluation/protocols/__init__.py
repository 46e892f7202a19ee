"""Divides a data set into training parts and cases, by a protocol or by the files of a split."""
