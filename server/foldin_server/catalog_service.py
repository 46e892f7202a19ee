"""The handlers of CatalogService: the items that the serving model knows."""

# ruff: noqa: N802 (names and arguments are those of the contract)

from functools import partial

import numpy as np
from foldin.v1 import catalog_pb2 as pb
from foldin.v1 import ratings_pb2
from foldin.v1.catalog_pb2_grpc import CatalogServiceServicer
from foldin_model.arrays import Rows
from foldin_model.filtering import ItemConditions, allowed
from foldin_model.ids import ItemId
from foldin_model.paging import PageToken
from foldin_model.searching import Cursor, popular
from foldin_model.snapshot import Snapshot

from foldin_server import parsing, rendering
from foldin_server.calls import Call, Calls, rpc
from foldin_server.offloading import offload
from foldin_server.ranking import page_of
from foldin_server.recommending import row_of
from foldin_server.snapshots import Snapshots


class Catalogue(CatalogServiceServicer):
    """Answers from the serving snapshot alone."""

    def __init__(self, calls: Calls, snapshots: Snapshots) -> None:
        self.calls = calls
        self._snapshots = snapshots

    @rpc
    async def GetItem(self, request: pb.GetItemRequest, call: Call) -> pb.GetItemResponse:
        """One item by its id."""
        snapshot = self._snapshots.serving()
        row = row_of(snapshot, ItemId(parsing.checked_id("item_id", request.item_id)))
        call.model_version = snapshot.version
        item = rendering.item(snapshot.model.catalog, row)
        return pb.GetItemResponse(item=item, model_version=snapshot.version)

    @rpc
    async def ListItems(self, request: pb.ListItemsRequest, call: Call) -> pb.ListItemsResponse:
        """Items by title, genre and year."""
        self._snapshots.serving()
        arguments = parsing.list_arguments(request, request.query)
        page = arguments.page
        snapshot, token = self._snapshots.of_page(page)
        call.model_version = snapshot.version
        rows = await offload(
            100 * len(snapshot), _matching, snapshot, arguments.query, arguments.conditions
        )
        start = token.position if token is not None and isinstance(token.position, int) else 0
        stop = start + page.size
        following = PageToken(snapshot.version, page.digest, stop) if stop < len(rows) else None
        return pb.ListItemsResponse(
            items=rendering.items(snapshot.model.catalog, rows[start:stop].tolist()),
            next_page_token=rendering.page_token(following, self._snapshots.page_key),
            model_version=snapshot.version,
            total_size=len(rows),
        )

    @rpc
    async def ListItemClusters(
        self, request: pb.ListItemClustersRequest, call: Call
    ) -> pb.ListItemClustersResponse:
        """Groups of items that the same users like, each with its most rated items."""
        snapshot = self._snapshots.serving()
        most = parsing.checked_size("max_items", request.max_items, default=5, most=50)
        call.model_version = snapshot.version
        clusters = await offload(100 * len(snapshot), _clusters, snapshot, most)
        return pb.ListItemClustersResponse(clusters=clusters, model_version=snapshot.version)

    @rpc
    async def ListPopularItems(
        self, request: pb.ListPopularItemsRequest, call: Call
    ) -> pb.ListPopularItemsResponse:
        """What a user nobody knows is shown."""
        self._snapshots.serving()
        arguments = parsing.list_arguments(request)
        page = arguments.page
        snapshot, token = self._snapshots.of_page(page)
        mask = allowed(snapshot, arguments.conditions)
        position = None if token is None else token.position
        ranked = await offload(
            snapshot.model.items.size,
            page_of,
            partial(popular, snapshot, mask),
            page.size,
            position if isinstance(position, Cursor) else None,
        )
        following = None
        if ranked.rest is not None:
            following = PageToken(snapshot.version, page.digest, ranked.rest)
        info = rendering.model_info(snapshot)
        info.personalization = ratings_pb2.PERSONALIZATION_POPULAR
        call.told(info)
        catalog = snapshot.model.catalog
        return pb.ListPopularItemsResponse(
            items=rendering.scored_items(catalog, ranked.hits, ratings_pb2.SOURCE_POPULAR),
            next_page_token=rendering.page_token(following, self._snapshots.page_key),
            serving_info=info,
        )


def _matching(snapshot: Snapshot, query: str, conditions: ItemConditions) -> Rows:
    rows = snapshot.titles.find(query)
    mask = allowed(snapshot, conditions)
    return rows if mask is None else rows[mask[rows]]


def _clusters(snapshot: Snapshot, most: int) -> list[pb.ItemCluster]:
    catalog = snapshot.model.catalog
    by_count = np.argsort(-catalog.rating_counts, kind="stable")
    clusters = []
    for cluster in catalog.clusters:
        rows = by_count[catalog.cluster_ids[by_count] == cluster.id]
        clusters.append(
            pb.ItemCluster(
                cluster_id=cluster.id,
                name=cluster.name,
                genres=cluster.genres,
                items=rendering.items(catalog, rows[:most].tolist()),
                size=cluster.size,
            )
        )
    return clusters
