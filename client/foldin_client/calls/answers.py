"""How answers become values: one pure function a message.

Field by field on purpose: a field added to the contract shows up here or nowhere.
"""

from datetime import UTC, datetime

from foldin.v1 import catalog_pb2, model_pb2, ratings_pb2, recommendation_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from foldin_client import values
from foldin_client.calls.statuses import error_of_status
from foldin_client.errors import FoldinError
from foldin_client.values import new_items


def time(stamp: Timestamp) -> datetime | None:
    """The UTC time, None for the zero that stands for unset."""
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
    answer: recommendation_pb2.RecommendResponse
    | recommendation_pb2.SimilarItemsResponse
    | catalog_pb2.ListPopularItemsResponse,
) -> values.ScoredPage:
    return values.ScoredPage(
        items=tuple(map(_scored_item, answer.items)),
        next_page_token=answer.next_page_token,
        serving_info=serving_info(answer.serving_info),
    )


def page_or_error(
    result: recommendation_pb2.BatchRecommendResponse.Result,
) -> values.ScoredPage | FoldinError:
    if result.HasField("error"):
        return error_of_status(result.error)
    return scored_page(result.response)


def written(
    answer: recommendation_pb2.SubmitRatingResponse | recommendation_pb2.DeleteRatingResponse,
    request_id: str,
) -> values.Written:
    return values.Written(
        user_revision=answer.user_revision,
        replayed=answer.replayed,
        superseded=answer.superseded,
        request_id=request_id,
        serving_info=serving_info(answer.serving_info),
    )


def written_or_error(
    result: recommendation_pb2.BatchSubmitRatingsResponse.Result, request_id: str
) -> values.Written | FoldinError:
    if result.HasField("error"):
        return error_of_status(result.error)
    return written(result.response, request_id)


def predictions(answer: recommendation_pb2.PredictRatingsResponse) -> values.Predictions:
    return values.Predictions(
        predictions=tuple(
            values.Prediction(
                item_id=p.item_id,
                predicted_rating=p.predicted_rating,
                rating=p.rating if p.HasField("rating") else None,
                low=p.low if p.HasField("low") else None,
                high=p.high if p.HasField("high") else None,
            )
            for p in answer.predictions
        ),
        serving_info=serving_info(answer.serving_info),
    )


def user_state(answer: recommendation_pb2.GetUserStateResponse) -> values.UserState:
    return values.UserState(
        user_id=answer.user_id,
        ratings=tuple(
            values.RatedItem(
                item_id=rated.rating.item_id,
                value=rated.rating.value,
                event_time=time(rated.rating.event_time),
                title=rated.title,
                in_model=rated.in_model,
            )
            for rated in answer.ratings
        ),
        trained=answer.trained,
        serving_info=serving_info(answer.serving_info),
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


def items_added(answer: catalog_pb2.UpsertItemsResponse) -> new_items.ItemsAdded:
    return new_items.ItemsAdded(
        answer.overlay_revision, answer.model_version, tuple(answer.trained_item_ids)
    )


def availability_set(answer: catalog_pb2.SetItemAvailabilityResponse) -> new_items.AvailabilitySet:
    return new_items.AvailabilitySet(answer.overlay_revision, answer.model_version)


def item_page(answer: catalog_pb2.ListItemsResponse) -> values.ItemPage:
    return values.ItemPage(
        items=tuple(map(item, answer.items)),
        next_page_token=answer.next_page_token,
        model_version=answer.model_version,
        total_size=answer.total_size,
    )


def item_clusters(answer: catalog_pb2.ListItemClustersResponse) -> values.ItemClusters:
    return values.ItemClusters(
        clusters=tuple(
            values.ItemCluster(
                cluster_id=cluster.cluster_id,
                name=cluster.name,
                genres=tuple(cluster.genres),
                items=tuple(map(item, cluster.items)),
                size=cluster.size,
            )
            for cluster in answer.clusters
        ),
        model_version=answer.model_version,
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


def serving_model(answer: model_pb2.GetServingModelResponse) -> values.ServingModel:
    return values.ServingModel(
        model(answer.model), answer.epoch, answer.load_error, answer.overlay_revision
    )


def model_list(answer: model_pb2.ListModelsResponse) -> values.ModelList:
    return values.ModelList(
        models=tuple(map(model, answer.models)),
        epoch=answer.epoch,
        current_version=answer.current_version,
        previous_version=answer.previous_version,
    )


def activation(answer: model_pb2.ActivateModelResponse) -> values.Activation:
    return values.Activation(answer.epoch, answer.current_version, answer.previous_version)
