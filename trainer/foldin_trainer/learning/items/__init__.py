"""Tables of items learned besides the heads: clusters, similar items, the map from content."""
