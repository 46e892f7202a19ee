import re
from pathlib import Path

from project.checkout import ROOT

from deploy.generate_stubs import generate

COMMITTED = ROOT / "client" / "foldin" / "v1"


def test_the_committed_stubs_are_what_the_protos_give(tmp_path: Path) -> None:
    generate(tmp_path)
    generated = {path.name: path.read_bytes() for path in (tmp_path / "foldin/v1").iterdir()}
    committed = {path.name: path.read_bytes() for path in COMMITTED.glob("*_pb2*")}
    assert generated == committed


def test_the_folder_of_the_stubs_holds_nothing_else() -> None:
    kept = {path.name for path in COMMITTED.iterdir() if path.name != "__pycache__"}
    assert {name for name in kept if not re.search(r"_pb2(_grpc)?\.pyi?$", name)} <= {"py.typed"}
