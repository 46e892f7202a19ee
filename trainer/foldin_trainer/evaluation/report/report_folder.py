"""The folder of an evaluation's report: a JSON document, an HTML page and the figures as PNG."""

from pathlib import Path
from typing import Final

from foldin_trainer.evaluation.evaluation_run import Evaluation
from foldin_trainer.evaluation.report.document import document
from foldin_trainer.evaluation.report.figures import all_figures
from foldin_trainer.evaluation.report.page import page
from foldin_trainer.evaluation.report.tables import write_json

REPORT: Final = "evaluation.json"
PAGE: Final = "evaluation.html"


def write_report(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Writes the report and the figures to the folder; returns paths: JSON, HTML, PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = all_figures(evaluation)
    pictures = [folder / f"{figure.name}.png" for figure in figures]
    for figure, picture in zip(figures, pictures, strict=True):
        picture.write_bytes(figure.png())
    report, html = folder / REPORT, folder / PAGE
    found = document(evaluation, [picture.name for picture in pictures])
    write_json(report, found)
    html.write_text(page(evaluation, found, figures), "utf-8")
    return [report, html, *pictures]
