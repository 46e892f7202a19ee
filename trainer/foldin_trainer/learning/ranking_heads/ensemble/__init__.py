"""The ranking head `ensemble`: a weighted blend of the others, cut to one inner product."""
