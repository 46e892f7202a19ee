"""A worker process of the index benchmark: maps a model, answers without RPC, prints its memory.

`benchmarks/index.py` starts it; it leaves when its input ends.
"""

import json
import os
import sys
from pathlib import Path
from time import process_time, time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from foldin_model.arrays import Mask
from foldin_model.fold_in.fold_in import fold
from foldin_model.lifecycle.installation import load
from foldin_model.retrieval.filters import ItemFilter, allowed_items
from foldin_model.retrieval.search import search
from foldin_model.retrieval.similar_items import similar_items
from foldin_model.trained.snapshot import Snapshot


def answer(snapshot: Snapshot, number: int) -> list[tuple[str, str]]:
    """Returns the best ten for a user with five ratings: ids and titles."""
    model = snapshot.model
    rng = np.random.default_rng(number)
    rows = np.sort(rng.choice(len(snapshot), 5, replace=False)).astype(np.int32)
    known = model.catalog.rows([model.catalog.item_ids[row] for row in rows.tolist()])
    values = rng.uniform(0.5, 5.0, len(known))
    query = model.query(
        fold(model.ranking, known, values, model.ranking_prior).vector,
        fold(model.rating, known, values, model.rating_prior).vector,
    )
    hits = search(snapshot, query, None, 10)
    return [(model.catalog.item_ids[row], model.catalog.titles[row]) for row in hits.rows.tolist()]


def everything_else(snapshot: Snapshot) -> None:
    """Runs the other kinds of requests: filters, similar items, titles."""
    model = snapshot.model
    query = model.query(model.ranking_prior, model.rating_prior)
    wanted = ItemFilter(include_genres=("drama",), min_year=1990)
    mask: Mask | None = allowed_items(snapshot, wanted, np.arange(50, dtype=np.int32))
    search(snapshot, query, mask, 10)
    similar_items(snapshot, 7, None, 10)
    snapshot.titles.find("word7 wor")


def private_bytes() -> int:
    """Returns the private bytes of this process."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Private_"))


def work(folder: str) -> None:
    """Answers once, prints when, then prints what it costs; ends when its input does.

    Without a folder it loads no model.
    """
    first = cpu = 0.0
    if folder:
        snapshot = Snapshot.build(*load(Path(folder)))
        answer(snapshot, 0)
        first, cpu = time(), process_time()
        for number in range(100):
            answer(snapshot, number)
        everything_else(snapshot)
    print(json.dumps({"first": first, "cpu": cpu, "private": private_bytes()}), flush=True)
    sys.stdin.readline()
    print(json.dumps({"private": private_bytes()}), flush=True)


if __name__ == "__main__":
    work(sys.argv[1])
