"""Lists from a snapshot: search, filters, diversity, similar items, page tokens."""
