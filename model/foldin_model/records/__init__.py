"""What is stored of users and items beside the model: ratings, folded users, the overlay.

Each module has the values and their bytes.
"""
