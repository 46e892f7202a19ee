"""Ids, titles and genres are printed as they are in the data, in a pipe and in a terminal."""

import sys
from dataclasses import replace

import pytest
from foldin_client import values
from foldin_client.cli.output.console import terminal
from foldin_client.cli.output.tables import rendered
from foldin_local import demo_output
from foldin_local.demo_items import DemoItem
from rich.console import Console

ID = "shop:100:7"
TITLE = "My :heart: [b]story[/b] \\"
GENRE = "[b]x"
INFO = values.ServingInfo(
    model_version="v1",
    personalization=values.Personalization.POPULAR,
    rating_count=0,
    user_revision=0,
    degraded=False,
    model_time=None,
    freshness=values.Freshness.STRICT,
)
ITEM = values.Item(
    ID, TITLE, (GENRE,), 1999, 1, 7, 4.5, available=True, source=values.Source.CONTENT
)
SCORED = values.ScoredItem(
    item_id=ID,
    score=0.5,
    predicted_rating=4.5,
    title=TITLE,
    genres=(GENRE,),
    year=1999,
    source=values.Source.COLLABORATIVE,
    reasons=(values.Reason("8", TITLE, 0.25),),
    cluster_id=1,
    base_score=0.0,
    other_contributions=0.0,
)
RATED = values.RatedItem(ID, 4.0, None, TITLE, in_model=True)
CLUSTER = values.ItemCluster(1, GENRE, (GENRE,), (ITEM,), 9)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (values.ScoredPage((SCORED,), "", INFO), (ID, TITLE, GENRE, f"+0.250 {TITLE}")),
        (values.ItemPage((ITEM,), "", "v1", 1), (ID, TITLE, GENRE)),
        (ITEM, (ID, TITLE, GENRE)),
        (values.ItemClusters((CLUSTER,), "v1"), (TITLE, GENRE)),
        (values.UserState("1", (RATED,), trained=False, serving_info=INFO), (ID, TITLE)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_text_of_the_data_is_printed_as_it_is(
    value: object, shown: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal().print(rendered(value))
    printed = capsys.readouterr().out
    for text in shown:
        assert text in printed
    assert "\\\\" not in printed
    assert "\\[" not in printed


def test_the_demo_prints_titles_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=200).print(demo_output.similar_items(DemoItem("6", TITLE, None, 1), [SCORED]))
    printed = capsys.readouterr().out
    assert printed.count(TITLE) == 2
    assert GENRE in printed
    assert "\\\\" not in printed


@pytest.mark.parametrize("columns", [1, 20, 24, 30, 60])
def test_an_id_is_not_cut_in_a_terminal_of_any_width(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    item_id = "αβγδεζηθ"
    terminal().print(rendered(values.ScoredPage((replace(SCORED, item_id=item_id),), "", INFO)))
    printed = capsys.readouterr().out
    assert "".join(letter for letter in printed if letter in item_id) == item_id
