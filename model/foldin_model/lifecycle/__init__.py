"""A model version from publishing to removal: publish, install on a machine, retain, remove."""
