"""The Gibbs sampler: one chain, its conditional distributions, and the matrices it works on."""
