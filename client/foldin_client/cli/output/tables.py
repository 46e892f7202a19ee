"""How values look in a terminal: rich tables and lines, full ids and titles in a pipe.

Colours, widths and NO_COLOR are rich's; what a value means is in `foldin_client.values`.
"""

import functools
import sys
from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from foldin_client import values
from foldin_client.cli.output.titled_answers import (
    AddedItems,
    ChangedAvailability,
    TitledPredictions,
    WrittenRating,
)

PIPE_WIDTH = 10_000  # nothing is cut or wrapped where no person reads
NARROWEST = 40  # in less, rich leaves columns empty: the terminal itself wraps the lines then


def terminal() -> Console:
    """Where answers go: as wide as the terminal, without a limit in a pipe.

    No text is markup: what an id or a title has between brackets or colons is printed as it is.
    """
    piped = not sys.stdout.isatty()
    made = Console(highlight=False, markup=False, emoji=False, soft_wrap=piped)
    made.width = PIPE_WIDTH if piped else max(made.width, NARROWEST)
    return made


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """An empty table. Ids fold where the terminal is narrow: they are never cut."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            style="dim" if column in {"#", "id", "score"} else None,
        )
    return made


@functools.singledispatch
def rendered(value: object) -> RenderableType:
    """The value as a person reads it. TypeError for what no command answers."""
    raise TypeError(f"{type(value).__name__} has no table")


@rendered.register
def _(page: values.ScoredPage) -> RenderableType:
    """Recommendations, best first, with their reasons where there are any."""
    if not page.items:
        return Group("Nothing fits.", serving(page.serving_info))
    explained = any(item.reasons for item in page.items)
    predicted = any(item.predicted_rating is not None for item in page.items)
    made = table(
        *("#", "id", "title", "year", "genres"),
        *(("rating",) if predicted else ()),
        "score",
        *(("because",) if explained else ()),
        right=("#", "id", "year", "rating", "score"),
    )
    for place, item in enumerate(page.items, start=1):
        made.add_row(
            str(place),
            item.item_id,
            item.title,
            year(item.year),
            genres(item.genres),
            *((rating(item.predicted_rating),) if predicted else ()),
            f"{item.score:.3f}",
            *((reasons(item),) if explained else ()),
        )
    return Group(made, serving(page.serving_info))


def reasons(item: values.ScoredItem) -> str:
    return "\n".join(f"{r.contribution:+.3f} {r.title or r.item_id}" for r in item.reasons)


@rendered.register
def _(page: values.ItemPage) -> RenderableType:
    made = table(
        *("id", "title", "year", "genres", "ratings", "mean"),
        right=("id", "year", "ratings", "mean"),
    )
    for item in page.items:
        made.add_row(
            item.item_id,
            item.title,
            year(item.year),
            genres(item.genres),
            f"{item.rating_count:,}",
            rating(item.mean_rating),
        )
    return Group(made, dim(f"{len(page.items):,} of {page.total_size:,}"))


@rendered.register
def _(one: values.Item) -> RenderableType:
    facts = {
        "id": one.item_id,
        "title": one.title,
        "year": year(one.year),
        "genres": genres(one.genres),
        "cluster": str(one.cluster_id),
        "ratings": f"{one.rating_count:,}",
        "mean": rating(one.mean_rating),
        "shown": "yes" if one.available else "no: hidden by `foldin items hide`",
        "known by": "its content alone" if one.source is values.Source.CONTENT else "its ratings",
    }
    made = Table.grid(padding=(0, 2))
    for label, fact in facts.items():
        made.add_row(Text(label, "dim"), Text(fact))
    return made


@rendered.register
def _(answer: values.ItemClusters) -> RenderableType:
    made = table("#", "name", "items", "such as", right=("#", "items"))
    for cluster in answer.clusters:
        titles = ", ".join(member.title for member in cluster.items)
        made.add_row(str(cluster.cluster_id), cluster.name, f"{cluster.size:,}", titles)
    return made


@rendered.register
def _(state: values.UserState) -> RenderableType:
    made = table("id", "title", "rating", "when", right=("id", "rating"))
    for rated in state.ratings:
        made.add_row(
            rated.item_id,
            rated.title if rated.in_model else dim("not in the model"),
            given(rated.value),
            when(rated.event_time),
        )
    known = "in the model's training" if state.trained else "not in the model's training"
    return Group(made, dim(f"{known} · {_ratings(state.serving_info.rating_count)}"))


@rendered.register
def _(answer: values.ModelList) -> RenderableType:
    made = table(
        *("version", "state", "published", "method", "users", "items", "ratings", "metrics"),
        right=("users", "items", "ratings"),
    )
    for model in answer.models:
        metrics = "\n".join(f"{name} {value:.4g}" for name, value in sorted(model.metrics.items()))
        made.add_row(
            model.version,
            model.state.value,
            when(model.create_time),
            model.method,
            f"{model.user_count:,}",
            f"{model.item_count:,}",
            f"{model.rating_count:,}",
            metrics,
        )
    return made if answer.models else Text("No model is published; make one with `foldin train`.")


@rendered.register
def _(answer: TitledPredictions) -> RenderableType:
    numbers = ("would rate", "nine in ten", "rated")
    made = table("id", "title", *numbers, right=("id", *numbers))
    for p in answer.predictions:
        made.add_row(
            p.item_id,
            p.title,
            rating(p.predicted_rating),
            "" if p.low is None or p.high is None else f"{rating(p.low)} to {rating(p.high)}",
            given(p.rating),
        )
    return Group(made, serving(answer.serving_info))


@rendered.register
def _(written: WrittenRating) -> RenderableType:
    title = written.title or written.item_id
    done = f"rated {title} {written.value:g}" if written.value is not None else f"unrated {title}"
    if written.superseded:
        done = f"nothing changed: a later rating of {title} stands"
    return Text(f"{written.user_id} {done}")


@rendered.register
def _(answer: AddedItems) -> RenderableType:
    new = len(answer.item_ids) - len(answer.trained_item_ids)
    lines = [f"added {_items(new)}: every server recommends them within a second"] if new else []
    if answer.trained_item_ids:
        named = ", ".join(answer.trained_item_ids)
        lines.append(f"the model was trained with {named} and keeps its own content of them")
    return Text("\n".join(lines))


@rendered.register
def _(answer: ChangedAvailability) -> RenderableType:
    how = "shown again" if answer.available else "hidden"
    return Text(f"{_items(len(answer.item_ids))} {how}")


@rendered.register
def _(answer: values.Activation) -> RenderableType:
    before = f", {answer.previous_version} before" if answer.previous_version else ""
    return Text(f"{answer.current_version} is the current model{before} (epoch {answer.epoch})")


def serving(info: values.ServingInfo) -> Text:
    """How the answer was made, in one line."""
    ways = {
        values.Personalization.TRAINED: f"as trained, from {_ratings(info.rating_count)}",
        values.Personalization.FOLDED_IN: f"folded in from {_ratings(info.rating_count)}",
        values.Personalization.CONTENT: "from content alone",
        values.Personalization.POPULAR: "what everybody likes: no rating to go by",
    }
    way = ways.get(info.personalization)
    parts = [*([way] if way else []), f"model {info.model_version}"]
    if info.degraded:
        parts.append("degraded: the store is out of reach, recent ratings may be missing")
    return dim(" · ".join(parts))


def dim(text: str) -> Text:
    return Text(text, "dim")


def year(number: int | None) -> str:
    return "" if number is None else str(number)


def genres(names: Iterable[str]) -> str:
    return ", ".join(names)


def rating(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def given(value: float | None) -> str:
    """A rating as it was given: no digit is rounded away."""
    return "" if value is None else max(f"{value:.1f}", f"{value:g}", key=len)


def when(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _ratings(count: int) -> str:
    return f"{count:,} rating{'' if count == 1 else 's'}"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"
