"""Builds an approximate index and measures its recall, in a child process.

A trainer's process has torch, which must never share a process with faiss.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from foldin_model.arrays import Floats
from foldin_model.index.bounds import Bounds

APPROXIMATE_KINDS: Final = ("half", "ivf", "hnsw")
_VECTORS, _QUERIES, _INDEX, _RECALL = "vectors.npy", "queries.npy", "index.faiss", "recall.json"


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """The bytes of a faiss index and the share of the best rows that it finds."""

    stored: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"
    recall: float


def build(kind: str, vectors: Floats, queries: Floats, depth: int) -> Built:
    """Builds the index of one of `APPROXIMATE_KINDS` over (n, d) vectors.

    The recall is measured on the `depth` best rows for (m, d) queries. Raises ValueError with the
    message of faiss where faiss fails.
    """
    with TemporaryDirectory(prefix="foldin-index-") as name:
        folder = Path(name)
        np.save(folder / _VECTORS, vectors)
        np.save(folder / _QUERIES, queries)
        command = [sys.executable, "-m", "foldin_model.index.index_builder", kind, str(depth), name]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise ValueError(f"index {kind!r} can't be built: {done.stderr.strip()[-500:]}")
        return Built(
            stored=np.fromfile(folder / _INDEX, np.uint8),
            recall=float(json.loads((folder / _RECALL).read_text())),
        )


def main(kind: str, depth: str, folder: Path) -> None:
    """Runs in the child: reads the vectors and queries of `build`, writes the index and recall."""
    import faiss  # noqa: PLC0415 (the parent must not)

    from foldin_model.index.approximate_index import ApproximateIndex, make  # noqa: PLC0415
    from foldin_model.index.exact_index import PrunedIndex, Space, recall_of  # noqa: PLC0415

    vectors, queries = np.load(folder / _VECTORS), np.load(folder / _QUERIES)
    stored = faiss.serialize_index(make(kind, vectors))
    stored.tofile(folder / _INDEX)
    bounds = Bounds.of(vectors, vectors.shape[1])
    index = ApproximateIndex(kind, vectors, stored, PrunedIndex(vectors, bounds))
    recall = recall_of(Space(vectors, index, bounds.longest), queries, int(depth))
    (folder / _RECALL).write_text(json.dumps(recall))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
