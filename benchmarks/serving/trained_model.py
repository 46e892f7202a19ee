"""The trained model of the benchmark: an installed version, or one trained for the run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from foldin_model.lifecycle.installation import install
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.opening import open_store

from benchmarks.serving.servers import ROOT

DATASET: Final = Path("datasets") / "ml-latest-small"


@contextmanager
def trained_version(*, train: bool) -> Iterator[Path | None]:
    """Yields the folder of the newest version in FOLDIN_DATA_DIR or `.foldin`.

    Without one, a model is trained if ml-latest-small is cached there and `train` is set; else
    it yields None.
    """
    given = os.environ.get("FOLDIN_DATA_DIR")
    places = [*([Path(given)] if given else []), ROOT / ".foldin"]
    found = (_newest(place / "models") for place in places)
    if (version := next(filter(None, found), None)) is not None:
        yield version
        return
    cached = next((place / DATASET for place in places if (place / DATASET).is_dir()), None)
    if cached is None or not train:
        yield None
        return
    with TemporaryDirectory(prefix="foldin-bench-") as folder:
        print(f"training on {cached}", flush=True)
        command = (sys.executable, "-m", "foldin_client", "train", str(cached))
        options = ("--data-dir", folder)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FOLDIN_")}
        subprocess.run(
            (*command, *options),
            check=True,
            env=kept,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with (
            embedded_store(Path(folder)) as url,
            closing(open_store(url, "default")) as store,
        ):
            newest = store.models.versions()[0][0]
            version = install(store.models, newest, Path(folder) / "models")
        yield version


def _newest(models: Path) -> Path | None:
    manifests = models.glob("*/manifest.json")
    newest = max(manifests, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else newest.parent
