"""The gRPC server: it parses calls, asks the model and the store, and renders answers.

It never imports torch, pandas or scikit-learn.
"""
