"""Writes benchmarks/results/*.json between the markers of benchmarks/README.md and README.md.

The first gets every bar, the second the accuracy of methods side by side. It measures nothing:
`make bench-report` runs it after the benchmarks.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
README: Final = HERE / "README.md"
FRONT: Final = HERE.parent / "README.md"
TARGETS: Final = {"serving": "serve"}  # results that are not named as their make target
BEGIN: Final = "<!-- results: written by make bench-report -->\n"
END: Final = "<!-- end of results -->\n"
SIGNS: Final = {"higher": "≥", "lower": "≤"}


def section(name: str, report: dict[str, Any]) -> str:
    """Returns the bars of one results file as a table; empty if it has none."""
    if not report.get("bars"):
        return ""
    target = TARGETS.get(name, name)
    lines = [f"### {name}", "", " ".join((f"`make bench-{target}`.", _where(report))).strip(), ""]
    lines += ["| id | what | must | aim | measured | |", "|--|--|--|--|--|--|"]
    lines += [_line(bar) for bar in report["bars"]]
    return "\n".join(lines) + "\n\n"


def render(text: str, reports: dict[str, dict[str, Any]]) -> str:
    """Returns the page with the results between its markers. ValueError without a marker."""
    tables = "".join(section(name, report) for name, report in sorted(reports.items()))
    return between(text, tables.removesuffix("\n"))


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


def accuracy_tables(report: dict[str, Any]) -> str:
    """Returns tables of rating errors and list quality: a row a method, a column a data set."""
    rmse = _side_by_side(report, "RMSE, 5 folds", ("rmse",))
    ndcg = ("ndcg@10", "liked_ndcg@10")
    lists = _side_by_side(report, "held-out-users", ndcg)
    heads = _side_by_side(report, "ranking heads", ndcg)
    return "\n".join(
        [
            "RMSE of predicted ratings, five folds, lower is better:",
            "",
            *rmse,
            "",
            "NDCG@10 of lists for users held out, all they rated / what they liked, higher better:",
            "",
            *lists,
            "",
            "The same of foldin with its other ranking heads:",
            "",
            *heads,
            "",
        ]
    )


def _side_by_side(report: dict[str, Any], table: str, metrics: Sequence[str]) -> list[str]:
    """Returns a table: a row a method, a column a data set, metrics in a cell divided by /."""
    cells: dict[str, dict[str, str]] = {}
    for row in report["rows"]:
        if row["table"] == table and row[metrics[0]] is not None:
            figures = " / ".join(f"{row[metric]:.4f}" for metric in metrics)
            cells.setdefault(row["method"], {})[row["data"]] = figures
    data = list(dict.fromkeys(name for found in cells.values() for name in found))
    lines = [f"| | {' | '.join(data)} |", "|--" * (len(data) + 1) + "|"]
    for method, found in cells.items():
        shown = f"**{method}**" if method == "foldin" else method
        lines.append(f"| {shown} | {' | '.join(found.get(name, '') for name in data)} |")
    return lines


def between(text: str, filling: str) -> str:
    """Returns the page with `filling` between its markers. ValueError without a marker."""
    before, rest = _cut(text, BEGIN)
    _, after = _cut(rest, END)
    return f"{before}{BEGIN}\n{filling}\n{END}{after}"


def main() -> None:
    """Writes both pages."""
    files = (HERE / "results").glob("*.json")
    reports = {path.stem: json.loads(path.read_text()) for path in files}
    README.write_text(render(README.read_text(), reports))
    print(f"written to {README}")
    FRONT.write_text(between(FRONT.read_text(), accuracy_tables(reports["accuracy"])))
    print(f"written to {FRONT}")


if __name__ == "__main__":
    main()
