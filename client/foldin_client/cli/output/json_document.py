"""Values as JSON documents: fields by their names, enumerations and times as text.

Scripts rely on these names.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime

Document = dict[str, "Document"] | list["Document"] | str | float | bool | None


def document(value: object) -> Document:
    """Returns the value as json.dumps takes it, times as ISO 8601 in UTC.

    Raises TypeError for a type that has no JSON form.
    """
    if is_dataclass(value):
        return {field.name: document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): document(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [document(entry) for entry in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")
