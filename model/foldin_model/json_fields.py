"""Reads a JSON object field by field, each of the type that is asked for or ArtifactCorrupt."""

from dataclasses import dataclass

from foldin_model.errors import ArtifactCorrupt


@dataclass(frozen=True, slots=True)
class JsonReader:
    """One JSON object; `path` is what a message calls it."""

    path: str
    document: object

    def names(self) -> tuple[str, ...]:
        """The names of its fields."""
        if not isinstance(self.document, dict):
            raise ArtifactCorrupt(f"{self.path} is not an object")
        return tuple(self.document)

    def text(self, name: str) -> str:
        """A string."""
        value = self._value(name)
        if isinstance(value, str):
            return value
        raise self._wrong(name, "a string")

    def integer(self, name: str) -> int:
        """A whole number."""
        value = self._value(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._wrong(name, "a whole number")

    def number(self, name: str) -> float:
        """A number."""
        return _number(self._value(name), f"{self.path}.{name}")

    def scalar(self, name: str) -> str | int | float | bool | None:
        """Anything but a list or an object."""
        value = self._value(name)
        if value is None or isinstance(value, str | int | float):
            return value
        raise self._wrong(name, "a single value")

    def numbers(self, name: str) -> tuple[float, ...]:
        """A list of numbers."""
        return tuple(_number(value, f"{self.path}.{name}") for value in self._list(name))

    def integers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        values = self._list(name)
        return tuple(JsonReader(f"{self.path}.{name}", {"": v}).integer("") for v in values)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self._list(name)
        return tuple(JsonReader(f"{self.path}.{name}", {"": v}).text("") for v in values)

    def inner(self, name: str) -> "JsonReader":
        """An object."""
        reader = JsonReader(f"{self.path}.{name}", self._value(name))
        reader.names()
        return reader

    def inners(self, name: str) -> tuple["JsonReader", ...]:
        """A list of objects."""
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
