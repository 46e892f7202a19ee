"""Pure functions that turn protobuf responses into values, one for each message.

Fields are copied one by one on purpose: a new field of the contract reaches callers only if it is
added here.
"""

from datetime import UTC, datetime

from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2, recommendation_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from foldin_client import values
from foldin_client.calls.statuses import error_of_status
from foldin_client.errors import FoldinError


def time(stamp: Timestamp) -> datetime | None:
    """Returns the time in UTC, None for zero, which means unset."""
    return stamp.ToDatetime(UTC) if stamp.seconds or stamp.nanos else None


def serving_info(info: ratings_pb2.ServingInfo) -> values.ServingInfo:
    return values.ServingInfo(
        model_version=info.model_version,
        personalization=_personalization(info.personalization),
        rating_count=info.rating_count,
        user_revision=info.user_revision,
        degraded=info.degraded,
        model_time=time(info.model_time),
        freshness=_freshness(info.freshness),
    )


def _freshness(number: ratings_pb2.Freshness) -> values.Freshness:
    return values.Freshness[ratings_pb2.Freshness.Name(number).removeprefix("FRESHNESS_")]


def _personalization(number: ratings_pb2.Personalization) -> values.Personalization:
    name = ratings_pb2.Personalization.Name(number).removeprefix("PERSONALIZATION_")
    return values.Personalization[name]


def _source(number: ratings_pb2.Source) -> values.Source:
    return values.Source[ratings_pb2.Source.Name(number).removeprefix("SOURCE_")]


def _scored_item(item: ratings_pb2.ScoredItem) -> values.ScoredItem:
    return values.ScoredItem(
        item_id=item.item_id,
        score=item.score,
        predicted_rating=item.predicted_rating if item.HasField("predicted_rating") else None,
        title=item.title,
        genres=tuple(item.genres),
        year=item.year if item.HasField("year") else None,
        source=_source(item.source),
        reasons=tuple(values.Reason(r.item_id, r.title, r.contribution) for r in item.reasons),
        cluster_id=item.cluster_id,
        base_score=item.base_score,
        other_contributions=item.other_contributions,
    )


def scored_page(
    response: recommendation_pb2.RecommendResponse
    | recommendation_pb2.SimilarItemsResponse
    | catalog_pb2.ListPopularItemsResponse,
) -> values.ScoredPage:
    return values.ScoredPage(
        items=tuple(map(_scored_item, response.items)),
        next_page_token=response.next_page_token,
        serving_info=serving_info(response.serving_info),
    )


def page_or_error(
    result: recommendation_pb2.BatchRecommendResponse.Result,
) -> values.ScoredPage | FoldinError:
    if result.HasField("error"):
        return error_of_status(result.error)
    return scored_page(result.response)


def write_result(
    response: recommendation_pb2.SubmitRatingResponse | recommendation_pb2.DeleteRatingResponse,
    request_id: str,
) -> values.WriteResult:
    return values.WriteResult(
        user_revision=response.user_revision,
        replayed=response.replayed,
        superseded=response.superseded,
        request_id=request_id,
        serving_info=serving_info(response.serving_info),
    )


def write_result_or_error(
    result: recommendation_pb2.BatchSubmitRatingsResponse.Result, request_id: str
) -> values.WriteResult | FoldinError:
    if result.HasField("error"):
        return error_of_status(result.error)
    return write_result(result.response, request_id)


def predictions(response: recommendation_pb2.PredictRatingsResponse) -> values.Predictions:
    return values.Predictions(
        predictions=tuple(
            values.Prediction(
                item_id=p.item_id,
                predicted_rating=p.predicted_rating,
                rating=p.rating if p.HasField("rating") else None,
                low=p.low if p.HasField("low") else None,
                high=p.high if p.HasField("high") else None,
            )
            for p in response.predictions
        ),
        serving_info=serving_info(response.serving_info),
    )


def user_state(response: recommendation_pb2.GetUserStateResponse) -> values.UserState:
    return values.UserState(
        user_id=response.user_id,
        ratings=tuple(
            values.RatedItem(
                item_id=rated.rating.item_id,
                value=rated.rating.value,
                event_time=time(rated.rating.event_time),
                title=rated.title,
                in_model=rated.in_model,
            )
            for rated in response.ratings
        ),
        trained=response.trained,
        serving_info=serving_info(response.serving_info),
    )


def item(message: catalog_pb2.Item) -> values.Item:
    return values.Item(
        item_id=message.item_id,
        title=message.title,
        genres=tuple(message.genres),
        year=message.year if message.HasField("year") else None,
        cluster_id=message.cluster_id,
        rating_count=message.rating_count,
        mean_rating=message.mean_rating if message.HasField("mean_rating") else None,
        available=message.available,
        source=_source(message.source),
    )


def upsert_result(response: catalog_pb2.UpsertItemsResponse) -> values.UpsertResult:
    return values.UpsertResult(
        response.overlay_revision, response.model_version, tuple(response.trained_item_ids)
    )


def availability_result(
    response: catalog_pb2.SetItemAvailabilityResponse,
) -> values.AvailabilityResult:
    return values.AvailabilityResult(response.overlay_revision, response.model_version)


def item_page(response: catalog_pb2.ListItemsResponse) -> values.ItemPage:
    return values.ItemPage(
        items=tuple(map(item, response.items)),
        next_page_token=response.next_page_token,
        model_version=response.model_version,
        total_size=response.total_size,
    )


def item_clusters(response: catalog_pb2.ListItemClustersResponse) -> values.ItemClusters:
    return values.ItemClusters(
        clusters=tuple(
            values.ItemCluster(
                cluster_id=cluster.cluster_id,
                name=cluster.name,
                genres=tuple(cluster.genres),
                items=tuple(map(item, cluster.items)),
                size=cluster.size,
            )
            for cluster in response.clusters
        ),
        model_version=response.model_version,
    )


def model(message: model_pb2.Model) -> values.Model:
    state = model_pb2.Model.State.Name(message.state).removeprefix("STATE_")
    return values.Model(
        version=message.version,
        create_time=time(message.create_time),
        method=message.method,
        user_count=message.user_count,
        item_count=message.item_count,
        rating_count=message.rating_count,
        min_rating=message.min_rating,
        max_rating=message.max_rating,
        dimension=message.dimension,
        index_kind=message.index_kind,
        metrics=dict(message.metrics),
        state=values.ModelState[state],
    )


def serving_model(response: model_pb2.GetServingModelResponse) -> values.ServingModel:
    return values.ServingModel(
        model(response.model), response.epoch, response.load_error, response.overlay_revision
    )


def model_list(response: model_pb2.ListModelsResponse) -> values.ModelList:
    return values.ModelList(
        models=tuple(map(model, response.models)),
        epoch=response.epoch,
        current_version=response.current_version,
        previous_version=response.previous_version,
    )


def activation(response: model_pb2.ActivateModelResponse) -> values.Activation:
    return values.Activation(response.epoch, response.current_version, response.previous_version)
