"""How the neural part of a user encoder is trained."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeepSettings:
    """The linear encoder that it starts from has settings of its own."""

    hidden: int = 128
    """Units of the hidden layer."""
    dropout: float = 0.3
    """Share of them that a step does without."""
    learning_rate: float = 1e-3
    """Of the network; the vectors it starts from learn at a tenth of it."""
    weight_decay: float = 0.01
    epochs: int = 20
    """At most, where validation users say when to stop."""
    seed: int = 0
