"""A model as one blob of aligned little-endian arrays, cut into chunks; ids and rows in one piece.

Reading it copies nothing but the strings of a small catalogue: the arrays are views into the
buffer.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from mmap import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Integers
from foldin_model.bounding import BLOCK_ROWS, Bounds
from foldin_model.catalog import Catalog, Cluster, Genres, Years
from foldin_model.derived import Derived
from foldin_model.errors import ArtifactCorrupt
from foldin_model.jsonreading import JsonReader
from foldin_model.manifest import Chunk, Manifest, Section
from foldin_model.model import Model
from foldin_model.texts import HashedRows, Postings, Texts
from foldin_model.titles import TitleIndex

Blob = bytes | memoryview | mmap

CHUNK_BYTES: Final = 4 * 1024 * 1024
ALIGNMENT: Final = 64
FORMAT: Final = 1
EAGER_ITEMS: Final = 50_000
_HEADER: Final = struct.Struct("<8sIxxxxQ40x")  # magic, format, bytes of the whole blob
_MAGIC: Final = b"foldin\x1a\n"


def pack(model: Model) -> tuple[bytes, tuple[Section, ...]]:
    """The blob that `unpack` reads, and where its arrays lie; equal models give equal bytes."""
    catalog = model.catalog
    derived = Derived.of(model)
    genres = Genres.of(catalog.genres)
    hashed = HashedRows.of(catalog.item_ids)
    arrays: dict[str, NDArray[np.generic]] = {
        "items": model.items.astype("<f4", copy=False),
        "items.bounds": derived.item_bounds.lengths.astype("<f8", copy=False),
        "similarity": model.similarity.astype("<f4", copy=False),
        "similarity.bounds": derived.similarity_bounds.lengths.astype("<f8", copy=False),
        "rating_counts": catalog.rating_counts.astype("<i8", copy=False),
        "rating_means": catalog.rating_means.astype("<f4", copy=False),
        "cluster_ids": catalog.cluster_ids.astype("<i4", copy=False),
        "years": Years.of(catalog.years).numbers.astype("<i4", copy=False),
        "genres.codes": genres.codes.astype("<i4", copy=False),
        "genres.offsets": genres.offsets.astype("<i8", copy=False),
        "clusters": np.frombuffer(_clusters_json(catalog.clusters), np.uint8),
        "item_ids.hashes": hashed.hashes.astype("<u8", copy=False),
        "item_ids.rows": hashed.rows.astype("<i4", copy=False),
        **_packed_texts("item_ids", catalog.item_ids),
        **_packed_texts("titles", catalog.titles),
        **_packed_texts("genres.names", genres.names),
    }
    for name, postings in (
        ("title_words", derived.titles.words),
        ("title_names", derived.titles.names),
        ("by_genre", derived.genres),
    ):
        arrays |= _packed_texts(name, postings.keys)
        arrays[f"{name}.starts"] = postings.starts.astype("<i8", copy=False)
        arrays[f"{name}.rows"] = postings.rows.astype("<i4", copy=False)
    return _lay_out(arrays)


def unpack(blob: Blob, manifest: Manifest) -> tuple[Model, Derived]:
    """The model whose arrays are read-only views into the blob, and what was derived from it.

    Raises ArtifactCorrupt where header, counts or shapes disagree with the manifest. Hashes are
    not looked at here; see `check_chunks`.
    """
    _check_header(blob, manifest)
    sections = _Sections(blob, {section.name: section for section in manifest.sections})
    n = manifest.item_count
    dimension = manifest.ranking_dimension + 1 + manifest.rating_dimension
    similar = manifest.similarity_dimension
    for name, prior in (("ranking", manifest.ranking_prior), ("rating", manifest.rating_prior)):
        wanted = getattr(manifest, f"{name}_dimension")
        if len(prior) != wanted:
            raise ArtifactCorrupt(f"the {name} prior has {len(prior)} numbers, not {wanted}")
    model = Model(
        catalog=_catalog(sections, n),
        items=sections.array("items", "<f4", (n, dimension)).view(np.float32),
        similarity=sections.array("similarity", "<f4", (n, similar)).view(np.float32),
        scale=manifest.scale,
        rating_mean=manifest.rating_mean,
        rating_weight=manifest.rating_weight,
        ranking_prior=np.array(manifest.ranking_prior, np.float64),
        rating_prior=np.array(manifest.rating_prior, np.float64),
        ranking_rule=manifest.ranking_rule,
    )
    derived = Derived(
        item_bounds=sections.bounds("items", n, manifest.ranking_dimension),
        similarity_bounds=sections.bounds("similarity", n, similar),
        titles=TitleIndex(
            sections.postings("title_words", n),
            sections.postings("title_names", n),
            model.catalog.rating_counts,
        ),
        genres=sections.postings("by_genre", n),
    )
    return model, derived


def _catalog(sections: "_Sections", n: int) -> Catalog:
    """Its texts are taken out of the blob at once where they are few: that is faster to serve."""
    item_ids = sections.texts("item_ids", n)
    titles = sections.texts("titles", n)
    genres = sections.genres(n)
    years = Years(sections.array("years", "<i4", (n,)).view(np.int32))
    hashed = HashedRows(
        item_ids,
        sections.array("item_ids.hashes", "<u8", (n,)).view(np.uint64),
        sections.array("item_ids.rows", "<i4", (n,)).view(np.int32),
    )
    few = n <= EAGER_ITEMS
    return Catalog(
        item_ids=_taken("item_ids", item_ids) if few else item_ids,
        titles=_taken("titles", titles) if few else titles,
        genres=tuple(genres) if few else genres,
        years=tuple(years) if few else years,
        rating_counts=sections.array("rating_counts", "<i8", (n,)).view(np.int64),
        rating_means=sections.array("rating_means", "<f4", (n,)).view(np.float32),
        cluster_ids=sections.array("cluster_ids", "<i4", (n,)).view(np.int32),
        clusters=sections.clusters(),
        id_rows=None if few else hashed,
    )


def cut(kind: str, blob: bytes) -> Iterator[tuple[Chunk, bytes]]:
    """The chunks of a blob, `<kind>:0` and so on, each of at most 4 MiB, with their bytes."""
    for number, start in enumerate(range(0, len(blob), CHUNK_BYTES)):
        piece = blob[start : start + CHUNK_BYTES]
        yield Chunk(f"{kind}:{number}", len(piece), sha256(piece).hexdigest()), piece


def check_chunk(chunk: Chunk, piece: Blob) -> None:
    """Returns if the bytes are the chunk's. Raises ArtifactCorrupt, naming the chunk."""
    if len(piece) != chunk.size_bytes:
        raise ArtifactCorrupt(f"chunk {chunk.name} has {len(piece)} bytes, not {chunk.size_bytes}")
    found = sha256(piece).hexdigest()
    if found != chunk.sha256:
        raise ArtifactCorrupt(f"chunk {chunk.name} has sha256 {found}, not {chunk.sha256}")


def check_chunks(blob: Blob, chunks: Sequence[Chunk]) -> None:
    """Returns if the blob is made of exactly these chunks. Raises ArtifactCorrupt."""
    total = sum(chunk.size_bytes for chunk in chunks)
    if len(blob) != total:
        raise ArtifactCorrupt(f"the model has {len(blob)} bytes, not {total}")
    with memoryview(blob) as view:
        start = 0
        for chunk in chunks:
            with view[start : start + chunk.size_bytes] as piece:
                check_chunk(chunk, piece)
            start += chunk.size_bytes


@dataclass(frozen=True, slots=True)
class _Sections:
    blob: Blob
    table: Mapping[str, Section]

    def array(
        self, name: str, dtype: str, shape: tuple[int | None, ...]
    ) -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
        """A view of the section, if it has that dtype and shape (None: any length)."""
        section = self.table.get(name)
        if section is None:
            raise ArtifactCorrupt(f"the model lacks section {name}")
        fits = len(section.shape) == len(shape) and all(
            wanted in (None, found) for found, wanted in zip(section.shape, shape, strict=True)
        )
        if section.dtype != dtype or not fits:
            raise ArtifactCorrupt(
                f"section {name} is {section.dtype}{list(section.shape)}, not {dtype}{list(shape)}"
            )
        count = int(np.prod(section.shape))
        end = section.offset + count * np.dtype(dtype).itemsize
        aligned = section.offset % ALIGNMENT == 0
        if min(section.offset, *section.shape) < 0 or not aligned or end > len(self.blob):
            raise ArtifactCorrupt(
                f"section {name} lies at bytes {section.offset} to {end} of {len(self.blob)}"
            )
        flat = np.frombuffer(self.blob, dtype, count, section.offset)
        return flat.reshape(section.shape)

    def texts(self, name: str, count: int | None) -> Texts:
        """The strings of a section, which are decoded when they are asked for."""
        packed = self.array(f"{name}.bytes", "|u1", (None,)).view(np.uint8)
        return Texts(packed, self.offsets(f"{name}.offsets", count, len(packed)))

    def offsets(self, name: str, count: int | None, total: int) -> Integers:
        """Where the entries of a section begin, and the end of the last."""
        length = None if count is None else count + 1
        offsets = self.array(name, "<i8", (length,)).view(np.int64)
        broken = len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != total
        if broken or (offsets[1:] < offsets[:-1]).any():
            raise ArtifactCorrupt(f"section {name} does not increase from 0 to {total}")
        return offsets

    def genres(self, count: int) -> Genres:
        """The genres of each item."""
        names = _taken("genres.names", self.texts("genres.names", None))
        codes = self.array("genres.codes", "<i4", (None,)).view(np.int32)
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(names):
            raise ArtifactCorrupt(f"section genres names more than its {len(names)} genres")
        return Genres(names, codes, self.offsets("genres.offsets", count, len(codes)))

    def postings(self, name: str, count: int) -> Postings:
        """Rows, less than `count`, by key."""
        keys = self.texts(name, None)
        rows = self.array(f"{name}.rows", "<i4", (None,)).view(np.int32)
        if len(rows) and not 0 <= rows.min() <= rows.max() < count:
            raise ArtifactCorrupt(f"section {name}.rows has rows beyond the {count} there are")
        return Postings(keys, self.offsets(f"{name}.starts", len(keys), len(rows)), rows)

    def bounds(self, name: str, count: int, cut: int) -> Bounds:
        """The bounds of a matrix of `count` rows."""
        blocks = -(-count // BLOCK_ROWS)
        return Bounds(self.array(f"{name}.bounds", "<f8", (blocks, 3)).view(np.float64), cut)

    def clusters(self) -> tuple[Cluster, ...]:
        """The clusters, in order."""
        packed = self.array("clusters", "|u1", (None,)).tobytes()
        try:
            reader = JsonReader("section", {"clusters": json.loads(packed)})
        except ValueError as error:
            raise ArtifactCorrupt(f"section clusters is not JSON: {error}") from error
        return tuple(
            Cluster(
                id=cluster.integer("id"),
                name=cluster.text("name"),
                genres=cluster.texts("genres"),
                size=cluster.integer("size"),
            )
            for cluster in reader.inners("clusters")
        )


def _lay_out(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[bytes, tuple[Section, ...]]:
    sections = []
    end = _HEADER.size
    for name, array in sorted(arrays.items()):
        offset = -(-end // ALIGNMENT) * ALIGNMENT
        sections.append(Section(name, array.dtype.str, array.shape, offset))
        end = offset + array.nbytes
    blob = bytearray(end)
    _HEADER.pack_into(blob, 0, _MAGIC, FORMAT, end)
    for section in sections:
        array = arrays[section.name]
        blob[section.offset : section.offset + array.nbytes] = array.tobytes()
    return bytes(blob), tuple(sections)


def _check_header(blob: Blob, manifest: Manifest) -> None:
    if len(blob) != manifest.model_bytes or len(blob) < _HEADER.size:
        raise ArtifactCorrupt(f"the model has {len(blob)} bytes, not {manifest.model_bytes}")
    magic, kind, size = _HEADER.unpack_from(blob)
    if (magic, kind, size) != (_MAGIC, FORMAT, len(blob)):
        raise ArtifactCorrupt(
            f"the model begins with {magic!r}, format {kind}, {size} bytes; "
            f"this program reads {_MAGIC!r}, format {FORMAT}, and it has {len(blob)}"
        )


def _packed_texts(name: str, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    packed = Texts.of(texts)
    return {
        f"{name}.bytes": packed.packed,
        f"{name}.offsets": packed.offsets.astype("<i8", copy=False),
    }


def _taken(name: str, texts: Texts) -> tuple[str, ...]:
    try:
        return tuple(texts)
    except UnicodeDecodeError as error:
        raise ArtifactCorrupt(f"section {name} is not UTF-8: {error}") from error


def _clusters_json(clusters: Sequence[Cluster]) -> bytes:
    documents = [
        {"id": c.id, "name": c.name, "genres": list(c.genres), "size": c.size} for c in clusters
    ]
    return json.dumps(documents, sort_keys=True).encode()
