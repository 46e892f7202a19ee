"""Generates the Python stubs of the protos into a folder: the only place that knows the options of protoc.

It is not part of any installed package; `make protos` runs it, and a test compares its output with what is committed.
"""

import importlib.resources
import sys
from pathlib import Path

import google.rpc
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]
PROTOS = ROOT / "protos"
STUBS = ROOT / "client"


def generate(output: Path) -> None:
    """`output/foldin/v1` holds the stubs of every proto. RuntimeError where protoc refuses one."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    site_packages = Path(next(iter(google.rpc.__path__))).parents[1]
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"-I{well_known}",
        f"-I{site_packages}",
        f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
        *(f"--{plugin}_out={output}" for plugin in ("python", "pyi", "grpc_python", "mypy_grpc")),
        *(str(path) for path in sorted(PROTOS.rglob("*.proto"))),
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError("protoc refused the protos; its message stands above")


if __name__ == "__main__":
    generate(STUBS)
    print(f"Stubs written to {STUBS / 'foldin' / 'v1'}")
