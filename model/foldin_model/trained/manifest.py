"""The manifest of a model version: its description, against which all its bytes are checked.

It is stored as JSON with sorted keys. It describes the bytes and does not read them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Self, TypeVar

from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.head import RatingRule
from foldin_model.json_fields import JsonReader
from foldin_model.scale import Scale

SCHEMA: Final = 1
SCHEMA_WITH_OPTIONS: Final = 2
"""For versions with sections that change answers and that readers of SCHEMA would ignore."""
Setting = str | int | float | bool | None
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Section:
    """The place of an array in the model's blob; `dtype` as NumPy spells it, little-endian."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored piece: `items:<k>` of the model's blob or `users:<k>` of trained users' ids."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one version.

    `created_at` is in seconds since 1970; priors are in the heads' own basis.
    """

    version: str
    created_at: float
    method: str
    user_count: int
    item_count: int
    rating_count: int
    scale: Scale
    rating_mean: float
    rating_weight: float
    ranking_prior: tuple[float, ...]
    rating_prior: tuple[float, ...]
    ranking_rule: RatingRule
    ranking_dimension: int
    rating_dimension: int
    similarity_dimension: int
    index_kind: str
    index_recall: float
    sections: tuple[Section, ...]
    chunks: tuple[Chunk, ...]
    metrics: Mapping[str, float]
    settings: Mapping[str, Setting]
    seed: int
    data_hash: str
    libraries: Mapping[str, str]
    schema: int = SCHEMA

    def to_json(self) -> bytes:
        """Returns the stored bytes; equal manifests give equal bytes."""
        return json.dumps(asdict(self), allow_nan=False, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, stored: bytes) -> Self:
        """Reads the manifest of `to_json`. Raises ArtifactCorrupt, naming the field at fault."""
        try:
            reader = JsonReader("manifest", json.loads(stored))
        except ValueError as error:
            raise ArtifactCorrupt(f"the manifest is not JSON: {error}") from error
        schema = reader.integer("schema")
        if schema not in (SCHEMA, SCHEMA_WITH_OPTIONS):
            raise ArtifactCorrupt(
                f"the manifest has schema {schema}; "
                f"this program reads {SCHEMA} and {SCHEMA_WITH_OPTIONS}"
            )
        return cls(
            version=reader.text("version"),
            created_at=reader.number("created_at"),
            method=reader.text("method"),
            user_count=reader.integer("user_count"),
            item_count=reader.integer("item_count"),
            rating_count=reader.integer("rating_count"),
            scale=_scale(reader.inner("scale")),
            rating_mean=reader.number("rating_mean"),
            rating_weight=reader.number("rating_weight"),
            ranking_prior=reader.numbers("ranking_prior"),
            rating_prior=reader.numbers("rating_prior"),
            ranking_rule=_rule(reader.inner("ranking_rule")),
            ranking_dimension=reader.integer("ranking_dimension"),
            rating_dimension=reader.integer("rating_dimension"),
            similarity_dimension=reader.integer("similarity_dimension"),
            index_kind=reader.text("index_kind"),
            index_recall=reader.number("index_recall"),
            sections=tuple(_section(section) for section in reader.inners("sections")),
            chunks=tuple(_chunk(chunk) for chunk in reader.inners("chunks")),
            metrics=_all(reader.inner("metrics"), JsonReader.number),
            settings=_all(reader.inner("settings"), JsonReader.scalar),
            seed=reader.integer("seed"),
            data_hash=reader.text("data_hash"),
            libraries=_all(reader.inner("libraries"), JsonReader.text),
            schema=schema,
        )

    def chunks_of(self, kind: str) -> tuple[Chunk, ...]:
        """Returns the chunks of one kind, `items` or `users`, in order."""
        return tuple(chunk for chunk in self.chunks if chunk.name.partition(":")[0] == kind)

    @property
    def model_bytes(self) -> int:
        """The length of the model's blob."""
        return sum(chunk.size_bytes for chunk in self.chunks_of("items"))


def _scale(reader: JsonReader) -> Scale:
    return Scale(low=reader.number("low"), high=reader.number("high"))


def _rule(reader: JsonReader) -> RatingRule:
    return RatingRule(
        knots=reader.numbers("knots"),
        weights=reader.numbers("weights"),
        targets=reader.numbers("targets"),
    )


def _section(reader: JsonReader) -> Section:
    return Section(
        name=reader.text("name"),
        dtype=reader.text("dtype"),
        shape=reader.integers("shape"),
        offset=reader.integer("offset"),
    )


def _chunk(reader: JsonReader) -> Chunk:
    return Chunk(
        name=reader.text("name"),
        size_bytes=reader.integer("size_bytes"),
        sha256=reader.text("sha256"),
    )


def _all(reader: JsonReader, read: Callable[[JsonReader, str], _T]) -> dict[str, _T]:
    return {name: read(reader, name) for name in reader.names()}
