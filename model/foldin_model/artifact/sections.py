"""Writes a blob of aligned little-endian arrays with names, and reads it with types checked.

Reading copies nothing. What the arrays mean for a model is in `model_blob`.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.errors import ArtifactCorrupt
from foldin_model.index.bounds import BLOCK_ROWS, Bounds
from foldin_model.json_fields import JsonReader
from foldin_model.texts.text_array import Postings, Texts
from foldin_model.trained.catalog import Cluster, Genres
from foldin_model.trained.manifest import Manifest, Section

Blob = bytes | memoryview | mmap
Arrays = dict[str, NDArray[np.generic]]

ALIGNMENT: Final = 64
FORMAT: Final = 1
_HEADER: Final = struct.Struct("<8sIxxxxQ40x")  # magic, format, bytes of the whole blob
_MAGIC: Final = b"foldin\x1a\n"


def blob_of(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[bytes, tuple[Section, ...]]:
    """Returns one blob of the arrays in the order of their names, and where each is."""
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


def check_header(blob: Blob, manifest: Manifest) -> None:
    """Raises ArtifactCorrupt unless the blob begins with the header that `blob_of` writes."""
    if len(blob) != manifest.model_bytes or len(blob) < _HEADER.size:
        raise ArtifactCorrupt(f"the model has {len(blob)} bytes, not {manifest.model_bytes}")
    magic, kind, size = _HEADER.unpack_from(blob)
    if (magic, kind, size) != (_MAGIC, FORMAT, len(blob)):
        raise ArtifactCorrupt(
            f"the model begins with {magic!r}, format {kind}, {size} bytes; "
            f"this program reads {_MAGIC!r}, format {FORMAT}, and it has {len(blob)}"
        )


@dataclass(frozen=True, slots=True)
class Sections:
    """The arrays of a blob by name. Raises ArtifactCorrupt where one is not as expected."""

    blob: Blob
    table: Mapping[str, Section]

    def array(
        self, name: str, dtype: str, shape: tuple[int | None, ...]
    ) -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
        """Returns a view of the section, checked for dtype and shape (None: any length)."""
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

    def has(self, name: str) -> bool:
        """Returns whether the blob has that section; optional parts of a model may lack theirs."""
        return name in self.table

    def floats(self, name: str, shape: tuple[int | None, ...]) -> Floats:
        """Returns a section of float32."""
        return self.array(name, "<f4", shape).view(np.float32)

    def doubles(self, name: str, shape: tuple[int | None, ...]) -> Doubles:
        """Returns a section of float64."""
        return self.array(name, "<f8", shape).view(np.float64)

    def texts(self, name: str, count: int | None) -> Texts:
        """Returns the strings of a section, which are decoded when they are used."""
        packed = self.array(f"{name}.bytes", "|u1", (None,)).view(np.uint8)
        return Texts(packed, self.offsets(f"{name}.offsets", count, len(packed)))

    def offsets(self, name: str, count: int | None, total: int) -> Integers:
        """Returns where the entries of a section begin, and the end of the last."""
        length = None if count is None else count + 1
        offsets = self.array(name, "<i8", (length,)).view(np.int64)
        broken = len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != total
        if broken or (offsets[1:] < offsets[:-1]).any():
            raise ArtifactCorrupt(f"section {name} does not increase from 0 to {total}")
        return offsets

    def genres(self, count: int) -> Genres:
        """Returns the genres of each of `count` items."""
        names = decoded("genres.names", self.texts("genres.names", None))
        codes = self.array("genres.codes", "<i4", (None,)).view(np.int32)
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(names):
            raise ArtifactCorrupt(f"section genres names more than its {len(names)} genres")
        return Genres(names, codes, self.offsets("genres.offsets", count, len(codes)))

    def postings(self, name: str, count: int) -> Postings:
        """Returns rows below `count` by key."""
        keys = self.texts(name, None)
        rows = self.array(f"{name}.rows", "<i4", (None,)).view(np.int32)
        if len(rows) and not 0 <= rows.min() <= rows.max() < count:
            raise ArtifactCorrupt(f"section {name}.rows has rows beyond the {count} there are")
        return Postings(keys, self.offsets(f"{name}.starts", len(keys), len(rows)), rows)

    def bounds(self, name: str, count: int, cut: int) -> Bounds:
        """Returns the bounds of a matrix of `count` rows."""
        blocks = -(-count // BLOCK_ROWS)
        return Bounds(self.doubles(f"{name}.bounds", (blocks, 3)), cut)

    def clusters(self) -> tuple[Cluster, ...]:
        """Returns the clusters, in order."""
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


def packed_texts(name: str, texts: Sequence[str]) -> Arrays:
    """Returns the arrays that `Sections.texts` reads."""
    packed = Texts.of(texts)
    return {
        f"{name}.bytes": packed.packed,
        f"{name}.offsets": packed.offsets.astype("<i8", copy=False),
    }


def decoded(name: str, texts: Texts) -> tuple[str, ...]:
    """Returns the strings, decoded. Raises ArtifactCorrupt where they are not UTF-8."""
    try:
        return tuple(texts)
    except UnicodeDecodeError as error:
        raise ArtifactCorrupt(f"section {name} is not UTF-8: {error}") from error
