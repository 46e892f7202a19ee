"""Splits a blob into chunks small enough for a store, and checks chunks against their hashes."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from foldin_model.artifact.sections import Blob
from foldin_model.errors import ArtifactCorrupt
from foldin_model.trained.manifest import Chunk

CHUNK_BYTES: Final = 4 * 1024 * 1024


def split_into_chunks(kind: str, blob: bytes) -> Iterator[tuple[Chunk, bytes]]:
    """Yields the chunks of a blob, `<kind>:0` and so on, of at most 4 MiB, with their bytes."""
    for number, start in enumerate(range(0, len(blob), CHUNK_BYTES)):
        piece = blob[start : start + CHUNK_BYTES]
        yield Chunk(f"{kind}:{number}", len(piece), sha256(piece).hexdigest()), piece


def check_chunk(chunk: Chunk, piece: Blob) -> None:
    """Raises ArtifactCorrupt, naming the chunk, unless the bytes have its size and hash."""
    if len(piece) != chunk.size_bytes:
        raise ArtifactCorrupt(f"chunk {chunk.name} has {len(piece)} bytes, not {chunk.size_bytes}")
    found = sha256(piece).hexdigest()
    if found != chunk.sha256:
        raise ArtifactCorrupt(f"chunk {chunk.name} has sha256 {found}, not {chunk.sha256}")


def check_chunks(blob: Blob, chunks: Sequence[Chunk]) -> None:
    """Raises ArtifactCorrupt unless the blob consists of exactly these chunks."""
    total = sum(chunk.size_bytes for chunk in chunks)
    if len(blob) != total:
        raise ArtifactCorrupt(f"the model has {len(blob)} bytes, not {total}")
    with memoryview(blob) as view:
        start = 0
        for chunk in chunks:
            with view[start : start + chunk.size_bytes] as piece:
                check_chunk(chunk, piece)
            start += chunk.size_bytes
