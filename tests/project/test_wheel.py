"""The wheel by itself: what it contains, and that its parts run without the checkout."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest
from foldin_client.cli import main
from project.checkout import ROOMS, ROOT

from deploy.wheel_trial import build, environment, install


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and of this one all but foldin."""
    programs = environment(tmp_path_factory.mktemp("environment"))
    install(programs, "--no-deps", "--no-index", str(wheel))
    (site,) = programs.parent.glob("lib/python*/site-packages")
    # A path from a .pth file is not searched for .pth files: the editable install stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def sources() -> set[str]:
    """The files that belong into the wheel, by their names in it."""
    trees = [*ROOMS.values(), ROOT / "client" / "foldin", ROOT / "protos" / "foldin"]
    return {
        str(path.relative_to(tree.parent))
        for tree in trees
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_contains_every_source_file_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert packed == sources()


def test_files_that_are_no_modules_are_in_the_wheel(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        packed = set(opened.namelist())
    assert {f"{room}/py.typed" for room in ROOMS} | {"foldin/v1/py.typed"} <= packed
    assert "foldin/v1/recommendation.proto" in packed
    assert "foldin_model/store/scripts/write_ratings.lua" in packed


def test_the_metadata_name_the_licence_and_describe_the_project(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith("/METADATA")]
        metadata = opened.read(name).decode()
        assert any(name.endswith("/licenses/LICENSE") for name in opened.namelist())
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Description-Content-Type: text/markdown\n" in metadata
    assert "\n# foldin\n" in metadata


@pytest.mark.parametrize("package", sorted({*ROOMS, "foldin.v1.recommendation_pb2"}))
def test_a_package_is_imported_from_the_wheel(programs: Path, package: str, tmp_path: Path) -> None:
    program = f"import json, {package} as package; print(json.dumps(package.__file__))"
    finished = subprocess.run(
        [programs / "python", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(json.loads(finished.stdout)).is_relative_to(programs.parent)


def test_client_and_server_load_from_the_wheel(programs: Path, tmp_path: Path) -> None:
    program = (
        "import sys, foldin_client.client, foldin_client.async_client\n"
        "import foldin_server.process.server\n"
        "found = [m.__file__ for n, m in sys.modules.items() if n.startswith('foldin')]\n"
        "print(*{file for file in found if file and not file.startswith(sys.prefix)})\n"
    )
    finished = subprocess.run(
        [programs / "python", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == "\n"


def test_the_help_of_the_installed_program_lists_every_command(
    programs: Path, tmp_path: Path
) -> None:
    finished = subprocess.run(
        [programs / "foldin", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    context = main.make_context("foldin", [], resilient_parsing=True)
    commands = main.list_commands(context)
    assert len(commands) > 20
    listed = {line.split()[0] for line in finished.stdout.splitlines() if line.startswith("  ")}
    assert set(commands) <= listed
    assert sys.prefix not in finished.stdout
