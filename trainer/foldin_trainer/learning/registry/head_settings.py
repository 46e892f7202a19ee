"""The settings of all heads together, looked up by their class."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Settings objects, at most one of a class; a head without one has its defaults."""

    given: tuple["DataclassInstance", ...] = ()

    def __post_init__(self) -> None:
        if len({type(settings) for settings in self.given}) < len(self.given):
            raise ValueError("a head has two settings objects; give one")

    def of(self, kind: type[S]) -> S:
        """Returns the settings of that class, or its defaults."""
        for settings in self.given:
            if isinstance(settings, kind):
                return settings
        return kind()

    def replaced(self, *settings: "DataclassInstance") -> Self:
        """Returns the same with these settings instead of those of their classes."""
        classes = {type(one) for one in settings}
        return type(self)((*(one for one in self.given if type(one) not in classes), *settings))
