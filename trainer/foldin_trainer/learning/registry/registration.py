"""`Registration`, the description of a head, and `Registry`, the heads of one sort by name.

A head is a way to learn from ratings; `learning.heads` lists them. Commands, searches, settings
files and manifests iterate over the registries and name no head.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from foldin_model.errors import FoldinError
from foldin_model.fold_in.kinds import ServingKind

from foldin_trainer.learning.registry.limits import Limits
from foldin_trainer.learning.registry.search_space import Space

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
AUTO: Final = "auto"
"""In the place of a ranking head's name: the best one on held-out users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The description of a head that the rest of the trainer works with."""

    name: str
    """On the command line, in settings files and in manifests."""
    summary: str
    """A few words for the help of the command line."""
    settings: type["DataclassInstance"]
    """A frozen dataclass with a default for every field. It checks its limits when it is made.

    Fields called `dimension`, `device` and `seed` are set by the options of these names.
    """
    limits: Limits
    """The limits of the numbers and words among the settings."""
    kind: ServingKind
    """How the head is served: how ratings become a user's vector."""
    space: Space = field(default_factory=lambda: MappingProxyType({}))
    """What `foldin tune` searches; a head without a space cannot be tuned."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Whole-number settings that are options of `foldin train`, with their help texts."""


H = TypeVar("H", bound=Registration)


class Registry(dict[str, H]):
    """Heads of one sort by name, in the order in which they are listed and tried."""

    def __init__(self, sort: str, heads: Iterable[H]) -> None:
        """`sort` is what error messages call one of them."""
        super().__init__()
        self.sort = sort
        for head in heads:
            self.add(head)

    def add(self, head: H) -> None:
        """Registers the head. Raises ValueError where the name is taken, reserved or malformed."""
        if head.name in self or head.name == AUTO or not NAME.fullmatch(head.name):
            raise ValueError(f"{head.name!r} cannot be the name of a new {self.sort}")
        self[head.name] = head

    def __missing__(self, name: str) -> NoReturn:
        raise FoldinError(f"unknown {self.sort} {name!r}; there are {', '.join(self)}")
