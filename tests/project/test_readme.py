import dataclasses
import re
import shlex
from pathlib import Path
from typing import get_args, get_type_hints

import click
import pytest
from foldin_client.cli import main
from foldin_server.settings import Settings
from project.checkout import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "deploy" / "README.md"]
README = DOCUMENTS[0].read_text(encoding="utf-8")


def code(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def command_lines() -> list[str]:
    """Every `foldin ...` of the README, without its comment."""
    lines = [line for block in code("sh") for line in block.splitlines()]
    inline = re.findall(r"`(foldin [^`]+)`", README)
    return sorted({line for line in [*lines, *inline] if line.startswith("foldin ")})


def parse(command: click.Command, arguments: list[str]) -> None:
    """The arguments are ones that the command takes; it is not run. Raises click.UsageError."""
    if isinstance(command, click.Group) and arguments and arguments[0] != "--help":
        context = click.Context(command)
        name, found, rest = command.resolve_command(context, arguments)
        assert found is not None, name
        parse(found, rest)
    elif "--help" not in arguments:
        command.make_context(command.name, arguments).close()


def settings_table() -> str:
    """The README's table of settings, from the settings themselves."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = ["| setting | default | |", "|--|--|--|"]
    for entry in dataclasses.fields(Settings):
        _, text = get_args(hints[entry.name])
        default = "" if entry.default is None else f"`{entry.default}`"
        rows.append(f"| `FOLDIN_{entry.name.upper()}` | {default} | {text} |")
    return "\n".join(rows)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)`", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_of_the_readme_is_one(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ratings.csv", "films.csv"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    parse(main, shlex.split(line, comments=True)[1:])


def test_the_readme_shows_commands() -> None:
    assert len(command_lines()) > 15


@pytest.mark.parametrize("block", code("python"))
def test_every_python_example_of_the_readme_compiles(block: str) -> None:
    compile(block, "README.md", "exec")


def test_the_table_of_settings_is_complete() -> None:
    assert settings_table() in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.parent.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8"))
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (document.parent / link).exists()] == []
