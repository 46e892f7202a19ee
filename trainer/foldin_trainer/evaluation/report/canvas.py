"""The house look of figures, and a figure as a file: PNG for itself, SVG for a page.

Text and grid take the page's colours in SVG, so that a figure can be read in light and in dark.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import BytesIO, StringIO
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK: Final = "#1f2933"
MUTED: Final = "#6b7787"
GRID: Final = "#e4e7eb"
OURS: Final = "#0072b2"
# Okabe & Ito's colours, which colour-blind readers tell apart, without the one that is ours.
OTHERS: Final = ("#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a6d9b", "#7f7f7f")
# The same colours on a dark page.
DARK_OURS: Final = "#5ab4f0"
DARK_OTHERS: Final = ("#ff8c42", "#2fc99a", "#e79cc6", "#e3b341", "#7cc8f0", "#b79bd0", "#a9a9a9")
THEME_VARIABLES: Final = {INK: "ink", MUTED: "muted", GRID: "grid", OURS: "ours"} | {
    colour: f"other{place}" for place, colour in enumerate(OTHERS)
}
LOOK: Final[dict[Any, Any]] = {
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "font.size": 10.0,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "text.parse_math": False,  # titles of films have dollar signs
}
_DPI: Final = 150


@dataclass(frozen=True, slots=True, eq=False)
class ReportFigure:
    """The figure of some axes: a name for its file, a title, and in words what can be seen."""

    name: str
    title: str
    alt: str
    axes: Axes

    @property
    def figure(self) -> Figure:
        """The whole figure."""
        figure = self.axes.get_figure(root=True)
        if figure is None:
            raise ValueError(f"the axes of {self.name!r} were taken off their figure")
        return figure

    def png(self) -> bytes:
        """The picture on white."""
        written = BytesIO()
        with rc_context(LOOK):
            self.figure.savefig(written, format="png", dpi=_DPI, facecolor="white")
        return written.getvalue()

    def svg(self) -> str:
        """An <svg> element that names nothing outside itself and takes the colours of its page."""
        written = StringIO()
        with rc_context({**LOOK, "svg.hashsalt": self.name}):
            self.figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
        body = written.getvalue()
        body = re.sub(r"<metadata>.*?</metadata>", "", body[body.index("<svg") :], flags=re.DOTALL)
        body = self._named(body)
        for colour, variable in THEME_VARIABLES.items():
            body = body.replace(colour, f"var(--{variable})")
        body = re.sub(r'<svg[^>]*?viewBox="([^"]*)"[^>]*>', self._opening, body, count=1)
        return body.strip()

    def _named(self, body: str) -> str:
        """Ids numbered in their order: matplotlib's differ from one call to the next."""
        ids = dict.fromkeys(re.findall(r'\bid="([^"]*)"', body))
        names = {id_: f"{self.name}-{number}" for number, id_ in enumerate(ids)}
        places = r'(\bid="|url\(#|href="#)([^")]*)'
        return re.sub(places, lambda found: found[1] + names[found[2]], body)

    def _opening(self, found: re.Match[str]) -> str:
        width = 1.2 * float(found[1].split()[2])  # from points; wide figures take what there is
        return (
            f'<svg style="max-width: {width:.0f}px" xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{found[1]}" role="img" '
            f'aria-label="{escape(self.alt)}">'
        )


@contextmanager
def panels(
    count: int,
    size: tuple[float, float],
    *,
    sharey: bool = False,
    width_ratios: tuple[float, ...] | None = None,
) -> Iterator[list[Axes]]:
    """Axes side by side in the house look; the figure is that of any of them."""
    with rc_context(LOOK):
        figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, count, squeeze=False, sharey=sharey, width_ratios=width_ratios)
        yield list(axes[0])


def colour_of(method: str, methods: list[str]) -> str:
    """Ours for foldin, another for every other method, always the same in one evaluation."""
    if method == "foldin":
        return OURS
    others = [name for name in methods if name != "foldin"]
    return OTHERS[others.index(method) % len(OTHERS)]
