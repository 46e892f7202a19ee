"""What the documents say about the program is true: commands, options, settings, links."""

import dataclasses
import re
import shlex
import textwrap
from pathlib import Path
from typing import get_args, get_type_hints

import click
import pytest
from foldin_client.cli import main
from foldin_server.settings import Settings
from project.checkout import BIN, ROOT

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / name / "README.md" for name in ("deploy", "benchmarks"))]
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RESULTS = re.compile(r"<!-- results.*?<!-- end of results -->", re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def command_lines(text: str) -> list[str]:
    """Every `foldin ...` of a document, without the folder of the program."""
    lines = [line for block in code("sh", text) for line in block.splitlines()]
    lines += re.findall(r"`(foldin [^`]+)`", text)
    found = [re.sub(r"^\S*/bin/foldin ", "foldin ", line) for line in lines]
    return sorted({line for line in found if line.startswith("foldin ")})


def parse(command: click.Command, arguments: list[str]) -> None:
    """The arguments are ones that the command takes; it is not run. Raises click.UsageError."""
    if isinstance(command, click.Group) and arguments and arguments[0] != "--help":
        context = click.Context(command)
        name, found, rest = command.resolve_command(context, arguments)
        assert found is not None, name
        parse(found, rest)
    elif "--help" not in arguments:
        command.make_context(command.name, arguments).close()


def settings_list() -> str:
    """The README's list of settings, from the settings themselves."""
    hints = get_type_hints(Settings, include_extras=True)
    entries = []
    for entry in dataclasses.fields(Settings):
        _, text = get_args(hints[entry.name])
        default = "unset" if entry.default is None else f"`{entry.default}`"
        line = f"- `FOLDIN_{entry.name.upper()}` ({default}): {text}"
        entries += textwrap.wrap(
            line, 98, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(entries)


def make_targets() -> set[str]:
    """The targets that the documents name, in text or in code."""
    written = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    return set(re.findall(r"(?:`|^ {4}|^)make ([a-z-]+)(?:`|$|  +#)", written, re.MULTILINE))


@pytest.mark.parametrize("target", sorted(make_targets()))
def test_every_make_target_of_a_document_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", command_lines(README + CONTRIBUTING))
def test_every_command_line_of_a_document_is_one(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ratings.csv", "films.csv"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    parse(main, shlex.split(line, comments=True)[1:])


def test_the_readme_shows_commands() -> None:
    assert len(command_lines(README)) > 15


@pytest.mark.parametrize("block", code("python"))
def test_every_python_example_of_the_readme_compiles(block: str) -> None:
    compile(block, "README.md", "exec")


@pytest.mark.parametrize(
    "words",
    [
        shlex.split(line, comments=True)
        for block in code("sh", CONTRIBUTING)
        for line in block.splitlines()
        if line.startswith(".venv/bin/")
    ],
    ids=" ".join,
)
def test_a_tool_that_contributors_run_is_installed_and_its_files_exist(words: list[str]) -> None:
    assert (BIN / Path(words[0]).name).exists()
    for word in words[1:]:
        path, _, test = word.partition("::")
        if "/" in path:
            assert (ROOT / path).exists()
            assert f"def {test}(" in (ROOT / path).read_text("utf-8") if test else True


def test_the_good_examples_of_style_are_in_the_code() -> None:
    docstring, _bad, test = code("python", CONTRIBUTING)
    metrics = ROOT / "trainer" / "foldin_trainer" / "metrics" / "ranking_metrics.py"
    assert docstring in metrics.read_text("utf-8")
    assert test in (ROOT / "tests" / "model" / "fold_in" / "test_fold_in.py").read_text("utf-8")


def test_every_path_that_contributors_read_of_exists() -> None:
    paths = set(re.findall(r"`([a-z_.]+(?:/[\w.]+)+/?)`", CONTRIBUTING))
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_list_of_settings_is_complete() -> None:
    assert settings_list() in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8"))
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_lines_have_at_most_100_characters(document: Path) -> None:
    """All of the README; other documents but for tables and generated results."""
    text = document.read_text(encoding="utf-8")
    if document != ROOT / "README.md":
        text = re.sub(r"^\|.*$", "", RESULTS.sub("", text), flags=re.MULTILINE)
    assert [line for line in text.splitlines() if len(line) > 100] == []
