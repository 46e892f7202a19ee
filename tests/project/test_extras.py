import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("command", "missing", "extra"),
    [
        (["serve"], "uvloop", "server"),
        (["serve"], "numpy", "server"),
        (["train"], "numpy", "trainer"),
        (["store", "size"], "numpy", "model"),
    ],
)
def test_a_command_without_its_extra_says_how_to_install_it(
    command: list[str], missing: str, extra: str
) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from foldin_client.cli import main\n"
        f"main({command!r}, prog_name='foldin')\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 1
    assert f"needs {missing}" in finished.stderr
    assert f"pip install 'foldin[{extra}]'" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_bare_install_prints_help() -> None:
    program = (
        "import sys\n"
        "for name in ('numpy', 'faiss', 'redis', 'torch', 'uvloop'): sys.modules[name] = None\n"
        "from foldin_client.cli import main\n"
        "main(['recommend', '--help'], prog_name='foldin')\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert "--why" in finished.stdout
