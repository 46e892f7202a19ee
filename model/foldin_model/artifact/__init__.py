"""A model as bytes: named arrays in one blob, cut into chunks, checked when it is read."""
