"""The style of figures, and figures as files: PNG alone, SVG inside a page.

In SVG, text and grid take the colors of the page, so that a figure suits light and dark screens.
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
# Okabe & Ito's colors, which color-blind readers can distinguish, without foldin's own.
OTHERS: Final = ("#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a6d9b", "#7f7f7f")
# The same colors on a dark page.
DARK_OURS: Final = "#5ab4f0"
DARK_OTHERS: Final = ("#ff8c42", "#2fc99a", "#e79cc6", "#e3b341", "#7cc8f0", "#b79bd0", "#a9a9a9")
THEME_VARIABLES: Final = {INK: "ink", MUTED: "muted", GRID: "grid", OURS: "ours"} | {
    color: f"other{place}" for place, color in enumerate(OTHERS)
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
    "text.parse_math": False,  # titles may have dollar signs
}
_DPI: Final = 150


@dataclass(frozen=True, slots=True, eq=False)
class ReportFigure:
    """A figure with its file name, its title and a text that describes it."""

    name: str
    title: str
    alt: str
    axes: Axes

    @property
    def figure(self) -> Figure:
        """The matplotlib figure of the axes."""
        figure = self.axes.get_figure(root=True)
        if figure is None:
            raise ValueError(f"the axes of {self.name!r} were taken off their figure")
        return figure

    def png(self) -> bytes:
        """Returns the figure as PNG on white."""
        written = BytesIO()
        with rc_context(LOOK):
            self.figure.savefig(written, format="png", dpi=_DPI, facecolor="white")
        return written.getvalue()

    def svg(self) -> str:
        """Returns an <svg> element without outside references, in the colors of its page."""
        written = StringIO()
        with rc_context({**LOOK, "svg.hashsalt": self.name}):
            self.figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
        body = written.getvalue()
        body = re.sub(r"<metadata>.*?</metadata>", "", body[body.index("<svg") :], flags=re.DOTALL)
        body = self._named(body)
        for color, variable in THEME_VARIABLES.items():
            body = body.replace(color, f"var(--{variable})")
        body = re.sub(r'<svg[^>]*?viewBox="([^"]*)"[^>]*>', self._opening, body, count=1)
        return body.strip()

    def _named(self, body: str) -> str:
        """Returns the SVG with ids numbered in order; matplotlib's differ from call to call."""
        ids = dict.fromkeys(re.findall(r'\bid="([^"]*)"', body))
        names = {id_: f"{self.name}-{number}" for number, id_ in enumerate(ids)}
        places = r'(\bid="|url\(#|href="#)([^")]*)'
        return re.sub(places, lambda found: found[1] + names[found[2]], body)

    def _opening(self, found: re.Match[str]) -> str:
        width = 1.2 * float(found[1].split()[2])  # from points; a wide figure shrinks to the page
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
    """Yields axes side by side in the style of the report, all of one figure."""
    with rc_context(LOOK):
        figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, count, squeeze=False, sharey=sharey, width_ratios=width_ratios)
        yield list(axes[0])


def color_of(method: str, methods: list[str]) -> str:
    """Returns the color of a method: foldin's own, or one of the others by its position."""
    if method == "foldin":
        return OURS
    others = [name for name in methods if name != "foldin"]
    return OTHERS[others.index(method) % len(OTHERS)]
