"""The ranking head `ials`: implicit ALS with weights and targets by the value of a rating."""
