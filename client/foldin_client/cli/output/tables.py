"""The answers of commands as rich tables and lines, one function for each type of value."""

import functools

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foldin_client import values
from foldin_client.cli.output.cells import (
    dim,
    genres,
    item_count,
    own_rating,
    rating,
    rating_count,
    serving_line,
    time,
    year,
)
from foldin_client.cli.output.command_results import (
    AddedItems,
    ChangedAvailability,
    TitledPredictions,
    WrittenRating,
)
from foldin_client.cli.output.console import table


@functools.singledispatch
def rendered(value: object) -> RenderableType:
    """Returns the value as a table or lines. Raises TypeError for any other type."""
    raise TypeError(f"{type(value).__name__} has no table")


@rendered.register
def _(page: values.ScoredPage) -> RenderableType:
    """Returns the items in order, with their reasons where there are any."""
    if not page.items:
        return Group("No item fits.", serving_line(page.serving_info))
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
    return Group(made, serving_line(page.serving_info))


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
            own_rating(rated.value),
            time(rated.event_time),
        )
    known = "in the model's training" if state.trained else "not in the model's training"
    return Group(made, dim(f"{known} · {rating_count(state.serving_info.rating_count)}"))


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
            time(model.create_time),
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
            own_rating(p.rating),
        )
    return Group(made, serving_line(answer.serving_info))


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
    lines = (
        [f"added {item_count(new)}: every server recommends them within a second"] if new else []
    )
    if answer.trained_item_ids:
        named = ", ".join(answer.trained_item_ids)
        lines.append(f"the model was trained with {named} and keeps its own content of them")
    return Text("\n".join(lines))


@rendered.register
def _(answer: ChangedAvailability) -> RenderableType:
    how = "shown again" if answer.available else "hidden"
    return Text(f"{item_count(len(answer.item_ids))} {how}")


@rendered.register
def _(answer: values.Activation) -> RenderableType:
    before = f", {answer.previous_version} before" if answer.previous_version else ""
    return Text(f"{answer.current_version} is the current model{before} (epoch {answer.epoch})")
