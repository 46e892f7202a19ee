"""The values that the client takes and returns: frozen, named as in the contract, no protobuf."""

from foldin_client.values.items import Filter, Item, ItemCluster, ItemClusters, ItemPage, Source
from foldin_client.values.models import Activation, Model, ModelList, ModelState, ServingModel
from foldin_client.values.new_items import AvailabilitySet, ItemsAdded, NewItem
from foldin_client.values.ratings import (
    NewRating,
    Prediction,
    Predictions,
    RatedItem,
    Rating,
    UserState,
    Written,
)
from foldin_client.values.recommendations import Query, Reason, ScoredItem, ScoredPage
from foldin_client.values.serving_info import Freshness, Personalization, ServingInfo

__all__ = [
    "Activation",
    "AvailabilitySet",
    "Filter",
    "Freshness",
    "Item",
    "ItemCluster",
    "ItemClusters",
    "ItemPage",
    "ItemsAdded",
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
    "UserState",
    "Written",
]
