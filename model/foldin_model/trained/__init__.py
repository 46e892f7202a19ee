"""What a trained model is: matrices, catalog, manifest, trained users.

`Snapshot` is a model as a server holds it.
"""
