"""The look of the HTML report, on light and on dark screens; figures take its colours."""

from typing import Final

from foldin_trainer.evaluation.report.canvas import OTHERS, OURS

DARK: Final = ("#ff8c42", "#2fc99a", "#e79cc6", "#e3b341", "#7cc8f0", "#b79bd0", "#a9a9a9")
RULES: Final = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2933; --muted: #5c6773;
  --grid: #e1e5ea; --ours: OURS; LIGHT }
@media (prefers-color-scheme: dark) { :root { --paper: #15191e; --ink: #e6eaee;
  --muted: #a0abb6; --grid: #333b44; --ours: #5ab4f0; DARK } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid var(--grid);
  padding-top: 1.2rem; }
.summary { font-size: 1.1rem; } .small, caption, figcaption { color: var(--muted);
  font-size: .85rem; text-align: left; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--grid);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } td span { color: var(--muted);
  font-size: .8rem; display: block; } tr.ours td { font-weight: 600; }
tr.ours td span { font-weight: 400; } figure { margin: 2rem 0; }
svg { width: 100%; height: auto; }
svg text { font-family: system-ui, sans-serif !important; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .9rem; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
"""


def _variables(colours: tuple[str, ...]) -> str:
    return " ".join(f"--other{place}: {colour};" for place, colour in enumerate(colours))


STYLE: Final = (
    RULES.replace("OURS", OURS)
    .replace("LIGHT", _variables(OTHERS))
    .replace("DARK", _variables(DARK))
)
