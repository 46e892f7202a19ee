"""Renders answers as protobuf messages: it looks up titles and rounds to float32."""

import math
from collections.abc import Iterable, Sequence

from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2, recommendation_pb2
from foldin_model.personal.explanation import Explanation
from foldin_model.records.folded_users import FoldedUser
from foldin_model.records.personalization import Personalization
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import Hits
from foldin_model.store.protocols import WriteOutcome
from foldin_model.trained.catalog import Catalog
from foldin_model.trained.manifest import Manifest
from foldin_model.trained.snapshot import Snapshot
from google.protobuf.timestamp_pb2 import Timestamp

from foldin_server.recommend.page import Recommendation
from foldin_server.recommend.recommender import Predictions, SimilarItems, UserState
from foldin_server.recommend.users import Freshness

_PERSONALIZATION = {
    Personalization.TRAINED: ratings_pb2.PERSONALIZATION_TRAINED,
    Personalization.FOLDED_IN: ratings_pb2.PERSONALIZATION_FOLDED_IN,
    Personalization.CONTENT: ratings_pb2.PERSONALIZATION_CONTENT,
    Personalization.POPULAR: ratings_pb2.PERSONALIZATION_POPULAR,
}
_FRESHNESS = {
    Freshness.UNKNOWN: ratings_pb2.FRESHNESS_UNSPECIFIED,
    Freshness.STRICT: ratings_pb2.FRESHNESS_STRICT,
    Freshness.BOUNDED: ratings_pb2.FRESHNESS_BOUNDED,
}


def timestamp(seconds: float) -> Timestamp:
    """Returns the protobuf form of a time in seconds since 1970."""
    return timestamp_us(round(seconds * 1_000_000))


def timestamp_us(microseconds: int) -> Timestamp:
    """Returns the protobuf form of a time in microseconds since 1970."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return Timestamp(seconds=seconds, nanos=1_000 * rest)


def model_info(snapshot: Snapshot) -> ratings_pb2.ServingInfo:
    """Returns how an answer was made that concerns no user."""
    return ratings_pb2.ServingInfo(
        model_version=snapshot.version, model_time=timestamp(snapshot.created_at)
    )


def user_info(
    snapshot: Snapshot,
    user: FoldedUser,
    freshness: Freshness = Freshness.STRICT,
) -> ratings_pb2.ServingInfo:
    """Returns how an answer for a user was made."""
    return ratings_pb2.ServingInfo(
        model_version=snapshot.version,
        personalization=_PERSONALIZATION[user.personalization],
        rating_count=user.rating_count,
        user_revision=user.revision,
        degraded=freshness is Freshness.UNKNOWN,
        model_time=timestamp(snapshot.created_at),
        freshness=_FRESHNESS[freshness],
    )


def recommendation(answer: Recommendation, page_key: bytes) -> recommendation_pb2.RecommendResponse:
    """Returns the response of Recommend."""
    snapshot = answer.snapshot
    items = scored_items(
        snapshot.model.catalog, answer.hits, source_of(answer.user.personalization)
    )
    for item, predicted in zip(items, answer.predictions.tolist(), strict=True):
        item.predicted_rating = predicted
    for item, explanation in zip(items, answer.explanations or (), strict=False):
        _explain(snapshot.model.catalog, item, explanation)
    return recommendation_pb2.RecommendResponse(
        items=items,
        next_page_token=page_token(answer.next_token, page_key),
        serving_info=user_info(snapshot, answer.user, answer.freshness),
    )


def source_of(personalization: Personalization) -> "ratings_pb2.Source":
    """Returns where the items of a user's list come from."""
    unknown = personalization is Personalization.POPULAR
    return ratings_pb2.SOURCE_POPULAR if unknown else ratings_pb2.SOURCE_COLLABORATIVE


def similar_items(answer: SimilarItems, page_key: bytes) -> recommendation_pb2.SimilarItemsResponse:
    """Returns the response of SimilarItems."""
    catalog = answer.snapshot.model.catalog
    return recommendation_pb2.SimilarItemsResponse(
        items=scored_items(catalog, answer.hits, ratings_pb2.SOURCE_COLLABORATIVE),
        next_page_token=page_token(answer.next_token, page_key),
        serving_info=model_info(answer.snapshot),
    )


def submitted(snapshot: Snapshot, outcome: WriteOutcome) -> recommendation_pb2.SubmitRatingResponse:
    """Returns the response of SubmitRating."""
    return recommendation_pb2.SubmitRatingResponse(
        user_revision=outcome.revision,
        replayed=outcome.replayed,
        superseded=outcome.superseded,
        serving_info=_write_info(snapshot, outcome),
    )


def deleted(snapshot: Snapshot, outcome: WriteOutcome) -> recommendation_pb2.DeleteRatingResponse:
    """Returns the response of DeleteRating."""
    return recommendation_pb2.DeleteRatingResponse(
        user_revision=outcome.revision,
        replayed=outcome.replayed,
        superseded=outcome.superseded,
        serving_info=_write_info(snapshot, outcome),
    )


def _write_info(snapshot: Snapshot, outcome: WriteOutcome) -> ratings_pb2.ServingInfo:
    """Returns what is known after a write: the model, and the user's revision."""
    info = model_info(snapshot)
    info.user_revision = outcome.revision
    return info


def predictions(
    answer: Predictions, item_ids: Sequence[str]
) -> recommendation_pb2.PredictRatingsResponse:
    """Returns the response of PredictRatings."""
    unknown = [None] * len(item_ids)
    low, high = (
        (unknown, unknown) if answer.intervals is None else (e.tolist() for e in answer.intervals)
    )
    predicted = zip(item_ids, answer.predicted.tolist(), answer.given, low, high, strict=True)
    return recommendation_pb2.PredictRatingsResponse(
        predictions=[
            recommendation_pb2.PredictRatingsResponse.Prediction(
                item_id=item_id, predicted_rating=rating, rating=given, low=least, high=most
            )
            for item_id, rating, given, least, most in predicted
        ],
        serving_info=user_info(answer.snapshot, answer.user, answer.freshness),
    )


def user_state(
    user_id: str, answer: UserState, most: int
) -> recommendation_pb2.GetUserStateResponse:
    """Returns the response of GetUserState, with the `most` latest ratings."""
    history = answer.history
    latest = sorted(
        range(len(history)),
        key=lambda i: (history.event_times_us[i], history.revisions[i]),
        reverse=True,
    )
    catalog, item_ids = answer.snapshot.model.catalog, history.item_ids
    return recommendation_pb2.GetUserStateResponse(
        user_id=user_id,
        ratings=[
            _rated_item(catalog, item_ids[i], float(history.values[i]), history.event_times_us[i])
            for i in latest[:most]
        ],
        trained=answer.trained,
        serving_info=user_info(answer.snapshot, answer.user),
    )


def scored_items(
    catalog: Catalog, hits: Hits, source: ratings_pb2.Source
) -> list[ratings_pb2.ScoredItem]:
    """Returns the items of a page with their scores."""
    return [
        scored_item(catalog, row, score, source)
        for row, score in zip(hits.rows.tolist(), hits.scores.tolist(), strict=True)
    ]


def scored_item(
    catalog: Catalog, row: int, score: float, source: ratings_pb2.Source
) -> ratings_pb2.ScoredItem:
    """Returns one item of a page with its score."""
    return ratings_pb2.ScoredItem(
        item_id=catalog.item_ids[row],
        score=score,
        title=catalog.titles[row],
        genres=catalog.genres[row],
        year=catalog.years[row],
        source=ratings_pb2.SOURCE_CONTENT if row in catalog.described else source,
        cluster_id=catalog.cluster_ids[row],
    )


def items(catalog: Catalog, rows: Iterable[int]) -> list[catalog_pb2.Item]:
    """Returns catalog entries in the order of the rows."""
    return [item(catalog, row) for row in rows]


def item(catalog: Catalog, row: int) -> catalog_pb2.Item:
    """Returns one catalog entry."""
    mean = float(catalog.rating_means[row])
    return catalog_pb2.Item(
        item_id=catalog.item_ids[row],
        title=catalog.titles[row],
        genres=catalog.genres[row],
        year=catalog.years[row],
        cluster_id=catalog.cluster_ids[row],
        rating_count=catalog.rating_counts[row],
        mean_rating=None if math.isnan(mean) else mean,
        available=catalog.is_available(row),
        source=(
            ratings_pb2.SOURCE_CONTENT
            if row in catalog.described
            else ratings_pb2.SOURCE_COLLABORATIVE
        ),
    )


def model(manifest: Manifest, state: "model_pb2.Model.State") -> model_pb2.Model:
    """Returns a published version."""
    return model_pb2.Model(
        version=manifest.version,
        create_time=timestamp(manifest.created_at),
        method=manifest.method,
        user_count=manifest.user_count,
        item_count=manifest.item_count,
        rating_count=manifest.rating_count,
        min_rating=manifest.scale.low,
        max_rating=manifest.scale.high,
        dimension=manifest.ranking_dimension + 1 + manifest.rating_dimension,
        index_kind=manifest.index_kind,
        metrics=manifest.metrics,
        state=state,
    )


def page_token(token: PageToken | None, key: bytes) -> str:
    """Returns the signed token for callers; empty on the last page."""
    return "" if token is None else token.encode(key)


def _explain(catalog: Catalog, item: ratings_pb2.ScoredItem, explanation: Explanation) -> None:
    item.base_score = explanation.base
    item.other_contributions = explanation.other
    for row, contribution in explanation.reasons:
        item.reasons.add(
            item_id=catalog.item_ids[row], title=catalog.titles[row], contribution=contribution
        )


def _rated_item(
    catalog: Catalog, item_id: str, value: float, event_time_us: int
) -> recommendation_pb2.GetUserStateResponse.RatedItem:
    row = catalog.row(item_id)
    rated = ratings_pb2.Rating(
        item_id=item_id, value=value, event_time=timestamp_us(int(event_time_us))
    )
    return recommendation_pb2.GetUserStateResponse.RatedItem(
        rating=rated,
        title="" if row is None else catalog.titles[row],
        in_model=row is not None,
    )
