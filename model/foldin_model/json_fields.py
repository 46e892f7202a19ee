"""Reads a JSON object field by field, and raises ArtifactCorrupt for a field of another type."""

from dataclasses import dataclass

from foldin_model.errors import ArtifactCorrupt


@dataclass(frozen=True, slots=True)
class JsonReader:
    """One JSON object; `path` names it in messages."""

    path: str
    document: object

    def names(self) -> tuple[str, ...]:
        """The names of the object's fields."""
        if not isinstance(self.document, dict):
            raise ArtifactCorrupt(f"{self.path} is not an object")
        return tuple(self.document)

    def text(self, name: str) -> str:
        """The field, a string."""
        value = self._value(name)
        if isinstance(value, str):
            return value
        raise self._wrong(name, "a string")

    def integer(self, name: str) -> int:
        """The field, a whole number."""
        value = self._value(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._wrong(name, "a whole number")

    def number(self, name: str) -> float:
        """The field, a number."""
        return _number(self._value(name), f"{self.path}.{name}")

    def scalar(self, name: str) -> str | int | float | bool | None:
        """The field, anything but a list or an object."""
        value = self._value(name)
        if value is None or isinstance(value, str | int | float):
            return value
        raise self._wrong(name, "a single value")

    def numbers(self, name: str) -> tuple[float, ...]:
        """The field, a list of numbers."""
        return tuple(_number(value, f"{self.path}.{name}") for value in self._list(name))

    def integers(self, name: str) -> tuple[int, ...]:
        """The field, a list of whole numbers."""
        values = self._list(name)
        return tuple(JsonReader(f"{self.path}.{name}", {"": v}).integer("") for v in values)

    def texts(self, name: str) -> tuple[str, ...]:
        """The field, a list of strings."""
        values = self._list(name)
        return tuple(JsonReader(f"{self.path}.{name}", {"": v}).text("") for v in values)

    def inner(self, name: str) -> "JsonReader":
        """The field, an object."""
        reader = JsonReader(f"{self.path}.{name}", self._value(name))
        reader.names()
        return reader

    def inners(self, name: str) -> tuple["JsonReader", ...]:
        """The field, a list of objects."""
        values = enumerate(self._list(name))
        return tuple(JsonReader(f"{self.path}.{name}[{i}]", value) for i, value in values)

    def _value(self, name: str) -> object:
        if not isinstance(self.document, dict) or name not in self.document:
            raise ArtifactCorrupt(f"{self.path} lacks {name}")
        value: object = self.document[name]
        return value

    def _list(self, name: str) -> list[object]:
        value = self._value(name)
        if isinstance(value, list):
            return value
        raise self._wrong(name, "a list")

    def _wrong(self, name: str, wanted: str) -> ArtifactCorrupt:
        return ArtifactCorrupt(f"{self.path}.{name} is not {wanted}")


def _number(value: object, path: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ArtifactCorrupt(f"{path} is not a number")
