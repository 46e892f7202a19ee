"""The ranking head `encoder`: item vectors that a user's ratings add up, trained on full softmax.

`training.train_encoder` trains one, `head` registers it.
"""
