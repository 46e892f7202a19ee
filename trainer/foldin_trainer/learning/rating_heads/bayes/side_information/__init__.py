"""Features of users and items, made without the values of their ratings."""
