"""The values that the client takes and returns: frozen, named as in the contract, no protobuf."""

from foldin_client.values.items import Filter, Item, ItemCluster, ItemClusters, ItemPage, Source
from foldin_client.values.models import Activation, Model, ModelList, ModelState, ServingModel
from foldin_client.values.new_items import AvailabilityResult, NewItem, UpsertResult
from foldin_client.values.ratings import (
    NewRating,
    Prediction,
    Predictions,
    RatedItem,
    Rating,
    UserState,
    WriteResult,
)
from foldin_client.values.recommendations import Query, Reason, ScoredItem, ScoredPage
from foldin_client.values.serving_info import Freshness, Personalization, ServingInfo

__all__ = [
    "Activation",
    "AvailabilityResult",
    "Filter",
    "Freshness",
    "Item",
    "ItemCluster",
    "ItemClusters",
    "ItemPage",
    "Model",
    "ModelList",
    "ModelState",
    "NewItem",
    "NewRating",
    "Personalization",
    "Prediction",
    "Predictions",
    "Query",
    "RatedItem",
    "Rating",
    "Reason",
    "ScoredItem",
    "ScoredPage",
    "ServingInfo",
    "ServingModel",
    "Source",
    "UpsertResult",
    "UserState",
    "WriteResult",
]
