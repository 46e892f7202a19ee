"""The reasons why a run has no value for a bar: a missing option or package, a part left out."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

PARTS: Final = ("bars", "submit", "processes", "overload", "matrix", "fresh")
REUSE: Final = "--answer-cache-size"
NEEDS: Final = {
    "serve.native.reuse": REUSE,
    "serve.native.bounded": "--freshness",
    "serve.visible": "--freshness",
    "serve.processes": "--workers",
}
PACKAGES: Final = {"serve.peers.fastapi": "fastapi"}


def why_missing(bar: str, parts: Sequence[str], options: frozenset[str]) -> str:
    """Returns the reason why a run has no value for the bar."""
    needed = NEEDS.get(bar, "--transport")
    if needed not in options:
        return f"`foldin serve` has no {needed}"
    if bar in PACKAGES and find_spec(PACKAGES[bar]) is None:
        return f"{PACKAGES[bar]} is missing: pip install 'foldin[bench]'"
    return "its part was left out" if len(parts) < len(PARTS) else "nothing measured it"
