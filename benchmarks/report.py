"""Renders the bars of benchmarks/results/*.json into benchmarks/README.md, between its markers.

It measures nothing; run it after the benchmarks, as `make bench-report`.
"""

import json
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
README: Final = HERE / "README.md"
TARGETS: Final = {"serving": "serve"}  # results that are not named as their make target
BEGIN: Final = "<!-- results: written by make bench-report -->\n"
END: Final = "<!-- end of results -->\n"
SIGNS: Final = {"higher": "≥", "lower": "≤"}


def section(name: str, report: dict[str, Any]) -> str:
    """The bars of one results file as a table; empty where it has none."""
    if not report.get("bars"):
        return ""
    target = TARGETS.get(name, name)
    lines = [f"### {name}", "", " ".join((f"`make bench-{target}`.", _where(report))).strip(), ""]
    lines += ["| id | what | must | aim | measured | |", "|--|--|--|--|--|--|"]
    lines += [_line(bar) for bar in report["bars"]]
    return "\n".join(lines) + "\n\n"


def render(text: str, reports: dict[str, dict[str, Any]]) -> str:
    """The page with the results between its markers. Raises ValueError where a marker is gone."""
    before, rest = _cut(text, BEGIN)
    _, after = _cut(rest, END)
    tables = "".join(section(name, report) for name, report in sorted(reports.items()))
    return f"{before}{BEGIN}\n{tables}{END}{after}"


def _cut(text: str, marker: str) -> tuple[str, str]:
    before, found, after = text.partition(marker)
    if not found:
        raise ValueError(f"{README} has no line {marker.strip()!r}")
    return before, after


def _line(bar: dict[str, Any]) -> str:
    sign = SIGNS[bar["better"]]
    return (
        f"| {bar['id']} | {bar['bar']} | {sign} {bar['must']:g} | {sign} {bar['aim']:g} "
        f"| {bar['measured']:.4g} | {_verdict(bar)} |"
    )


def _verdict(bar: dict[str, Any]) -> str:
    higher = bar["better"] == "higher"
    for name, word in (("aim", "aim"), ("must", "must")):
        if bar["measured"] >= bar[name] if higher else bar["measured"] <= bar[name]:
            return word
    return "missed"


def _where(report: dict[str, Any]) -> str:
    machine = report.get("machine", "")
    if isinstance(machine, dict):
        machine = f"{machine['cpus']} × {machine['cpu']}, {machine['system']}"
    versions = ", ".join(f"{name} {it}" for name, it in report.get("versions", {}).items())
    return "".join(f"{part}. " for part in (machine, versions) if part)


def main() -> None:
    """Writes the page."""
    files = (HERE / "results").glob("*.json")
    reports = {path.stem: json.loads(path.read_text()) for path in files}
    README.write_text(render(README.read_text(), reports))
    print(f"written to {README}")


if __name__ == "__main__":
    main()
