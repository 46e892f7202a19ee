"""How answers for users are made: the kinds of personalization."""

from enum import IntEnum


class Personalization(IntEnum):
    """How an answer was made; the numbers are those of the RPC contract."""

    TRAINED = 1
    """With the user's trained vector: the ratings are those of training."""
    FOLDED_IN = 2
    """With a vector folded from the user's ratings."""
    CONTENT = 3
    """From the contents of items alone."""
    POPULAR = 4
    """Without anything known of the user."""


def is_known(personalization: Personalization, rating_count: int) -> bool:
    """Whether a user has a live rating or a trained vector."""
    return rating_count > 0 or personalization is not Personalization.POPULAR
