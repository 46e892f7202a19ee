"""ARCHITECTURE.md is true: its paths exist, and it names every room."""

import re

import pytest
from project.checkout import ROOMS, ROOT

MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FAST_PATH = ROOT / "server" / "foldin_server" / "fast_path"
TOP_LEVEL = ("client", "model", "protos", "server", "tests", "trainer")


def named_paths() -> list[str]:
    """Every path from the root that the map names."""
    words = re.findall(r"`([\w./-]+)`", MAP) + re.findall(r"\]\(([\w./-]+)\)", MAP)
    return sorted({word for word in words if word.partition("/")[0] in TOP_LEVEL and "/" in word})


def test_every_path_of_the_map_exists() -> None:
    paths = named_paths()
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("package", ["foldin_server", "foldin_model", "foldin_trainer"])
def test_every_room_is_on_the_map(package: str) -> None:
    folder = ROOMS[package]
    rooms = {each.name for each in folder.iterdir() if (each / "__init__.py").exists()}
    assert rooms
    assert {room for room in rooms if f"`{room}/`" not in MAP} == set()


def test_lines_of_the_map_have_at_most_100_characters() -> None:
    assert [line for line in MAP.splitlines() if len(line) > 100] == []


def test_every_module_that_the_fast_path_names_exists() -> None:
    text = (FAST_PATH / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./]+\.py)`", text))
    assert len(named) > 8
    missing = {
        name for name in named if not ((FAST_PATH / name).exists() or (ROOT / name).exists())
    }
    assert missing == set()
