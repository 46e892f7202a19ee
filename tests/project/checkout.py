"""Where the parts of the checkout lie, and what their modules import."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ROOMS = {
    "foldin_client": ROOT / "client" / "foldin_client",
    "foldin_local": ROOT / "client" / "foldin_local",
    "foldin_model": ROOT / "model" / "foldin_model",
    "foldin_server": ROOT / "server" / "foldin_server",
    "foldin_trainer": ROOT / "trainer" / "foldin_trainer",
}


def modules(room: str) -> Iterator[Path]:
    yield from sorted(ROOMS[room].rglob("*.py"))


def imports(module: Path) -> set[str]:
    """The absolute names that a module imports anywhere, also inside functions."""
    names = set[str]()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names


def top_level(module: Path) -> set[str]:
    """The packages outside the standard library that a module imports."""
    packages = {name.partition(".")[0] for name in imports(module)}
    return packages - set(sys.stdlib_module_names)
