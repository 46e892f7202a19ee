"""Features of users and items besides the values of their ratings."""
