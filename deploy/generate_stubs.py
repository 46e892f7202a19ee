"""Generates the Python stubs of the protos: the only place that knows the options of protoc.

`make protos` runs it, and a test compares what it writes with what is committed.
"""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROTOS = ROOT / "protos"
STUBS = ROOT / "client"
PLUGINS = ("python", "pyi", "grpc_python", "mypy_grpc")


def generate(output: Path) -> None:
    """Writes the stubs into `output/foldin/v1`. CalledProcessError if protoc refuses a proto."""
    google_rpc = Path(str(files("google.rpc").joinpath("status.proto"))).parents[2]
    mypy_plugin = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"-I{google_rpc}"),
        f"--plugin=protoc-gen-mypy_grpc={mypy_plugin}",
        *(f"--{plugin}_out={output}" for plugin in PLUGINS),
        *(str(path) for path in sorted(PROTOS.rglob("*.proto"))),
    ]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    generate(STUBS)
    print(f"Stubs written to {STUBS / 'foldin' / 'v1'}")
