"""Installs the wheel with all extras into an empty environment and runs `foldin demo` there.

`make test-wheel` runs it. Everything lies in a temporary folder outside the checkout and is removed
at the end, also when a step fails. On Linux the environment takes about 6 GB while it exists, most
of it CUDA libraries of torch; pip's cache is shared, so that a second run downloads little.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from venv import EnvBuilder

ROOT = Path(__file__).resolve().parents[1]


def build(folder: Path) -> Path:
    """Builds the wheel of the checkout into `folder` and returns its path. Fetches nothing."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", str(folder)], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment(folder: Path, *, with_pip: bool = False) -> Path:
    """Makes an empty virtual environment and returns its folder of programs."""
    EnvBuilder(symlinks=True, with_pip=with_pip).create(folder)
    return folder / "bin"


def install(programs: Path, *arguments: str) -> None:
    """Runs this environment's pip for another one. CalledProcessError where it fails."""
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *quiet, *arguments], check=True)


def main() -> int:
    with TemporaryDirectory(prefix="foldin-wheel-") as name:
        folder = Path(name)
        wheel = build(folder)
        # The demo takes MovieLens from the package index, by pip, if GroupLens can't be reached.
        programs = environment(folder / "venv", with_pip=True)
        print(f"Installing {wheel.name} with all extras into {programs.parent} ...", flush=True)
        install(programs, "--constraint", str(ROOT / "constraints.txt"), f"{wheel}[all]")
        outside = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FOLDIN_", "PYTHON", "VIRTUAL_ENV"))
        }
        demo = subprocess.run(
            [programs / "foldin", "demo"],
            cwd=folder,
            env={**outside, "FOLDIN_DATA_DIR": str(folder / "data")},
            check=False,
        )
        return demo.returncode


if __name__ == "__main__":
    sys.exit(main())
