"""New items and availability laid over a served version, without a new version."""
