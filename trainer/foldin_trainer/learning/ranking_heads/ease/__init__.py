"""The ranking head `ease`: item-to-item weights, compressed into one inner product."""
