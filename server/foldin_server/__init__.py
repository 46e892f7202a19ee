"""The gRPC server of foldin: it answers calls from a trained model and a store of ratings.

Its folders are layers: `process` at the top, then `transport` and `fast_path`, `api`, `replies` and
`writes`, `recommend`, `versions`, `admission` and `requests`, `runtime` at the bottom. It never
imports torch, pandas or scikit-learn.
"""
