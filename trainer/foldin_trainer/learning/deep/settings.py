"""How the neural part of a user encoder is trained."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeepSettings:
    """The linear encoder that it starts from has settings of its own."""

    hidden: int = 128
    """Units of the hidden layer."""
    dropout: float = 0.3
    """Share of them that a step does without."""
    learning_rate: float = 3e-4
    """Of the layers."""
    linear_rate: float = 0.0
    """Learning rate of the linear encoder below them; 0 leaves it as it was."""
    weight_decay: float = 0.01
    epochs: int = 20
    """At most, where validation users say when to stop."""
    seed: int = 0
