"""The files that contributors and their tools read are well-formed and match the Makefile."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from project.checkout import BIN, ROOT

HOOKS = ROOT / ".pre-commit-config.yaml"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_pre_commit_accepts_the_hooks() -> None:
    subprocess.run([BIN / "pre-commit", "validate-config", HOOKS], check=True)


def test_the_hooks_fetch_nothing_and_run_what_lint_runs() -> None:
    (local,) = yaml.safe_load(HOOKS.read_text("utf-8"))["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    entries = [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (lint,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert {entry.split()[0] for entry in entries} == set(re.findall(r"\$\(BIN\)/([\w-]+)", lint))
    assert all((BIN / entry.split()[0]).exists() for entry in entries)


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_well_formed(form: Path) -> None:
    loaded = yaml.safe_load(form.read_text("utf-8"))
    if form.stem == "config":
        assert set(loaded) == {"blank_issues_enabled", "contact_links"}
        return
    assert {"name", "description", "body"} <= set(loaded)
    questions = [part for part in loaded["body"] if part["type"] != "markdown"]
    assert all(part["attributes"]["label"] for part in questions)
    assert len({part["id"] for part in questions}) == len(questions)


def test_the_changelog_has_unreleased_changes_and_the_version_of_the_package() -> None:
    headings = re.findall(
        r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    (version,) = re.findall(
        r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )
    assert headings[:2] == ["Unreleased", version]
