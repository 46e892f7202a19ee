"""What both redis clients begin with: one kind of failure and a claimed namespace."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from hiredis import ReplyError
from redis import RedisError

from foldin_model.errors import StoreMismatch, StoreRefused, StoreUnavailable
from foldin_model.store.keys import PARTITIONS, Keys
from foldin_model.store.masked_url import without_secrets
from foldin_model.store.scripts import CLAIM

PAGE_KEY_BYTES: Final = 32
Command = tuple[str | bytes | int | float, ...]


class Transaction(NamedTuple):
    """Commands that the store runs with no other in between; the reply is the list of theirs."""

    commands: tuple[Command, ...]


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Any failure of the client or the connection leaves as StoreUnavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise unavailable(url, error) from error


def unavailable(url: str, error: BaseException) -> StoreUnavailable:
    """The error that names the store, without a secret, and what it said."""
    place = without_secrets(url)
    said = str(error) or type(error).__name__
    return StoreUnavailable(f"the store at {place} cannot be used: {said}")


def refused(error: ReplyError) -> StoreRefused:
    """The error for a single command that the store answered with an error."""
    said = str(error).partition(" script: ")[0]  # where in a script is of no use to a caller
    return StoreRefused(f"the store refused it: {said}")


def claim(keys: Keys) -> Command:
    """The command that creates the namespace where it is new, and is answered how it was made."""
    page_key = os.urandom(PAGE_KEY_BYTES)
    return ("EVAL", CLAIM.text, 1, keys.control, PARTITIONS, page_key)


def check_claim(keys: Keys, settings: object) -> bytes:
    """The namespace's page key. Raises StoreMismatch if it was made with other partitions.

    `settings` is what `claim` was answered.
    """
    match settings:
        case [bytes(partitions), bytes(page_key)]:
            pass
        case _:
            raise TypeError(f"the claim script answered {settings!r}")
    if partitions != str(PARTITIONS).encode():
        raise StoreMismatch(
            f"namespace {keys.namespace!r} was created with {partitions.decode()} partitions; this "
            f"program uses {PARTITIONS}: choose another namespace, or the program that created it"
        )
    return page_key
