"""How a model version comes to serve: loading, verifying, swapping, and the item overlay."""
