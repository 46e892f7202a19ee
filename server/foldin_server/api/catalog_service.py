"""The handlers of CatalogService: the items that the serving model knows."""

# ruff: noqa: N802 (names and arguments are those of the contract)

from functools import partial

import numpy as np
from foldin.v1 import catalog_pb2 as pb
from foldin.v1 import ratings_pb2
from foldin_model.arrays import Rows
from foldin_model.ids import ItemId
from foldin_model.retrieval.filters import allowed_items, matching_items
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import Cursor, popular_items
from foldin_model.trained.snapshot import Snapshot

from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.recommend.page import page_of
from foldin_server.recommend.recommender import row_of
from foldin_server.replies import renderer
from foldin_server.requests import parser, write_parser
from foldin_server.requests.arguments import ListArguments
from foldin_server.runtime.executor import offload
from foldin_server.versions.snapshots import Snapshots
from foldin_server.writes.catalog_writer import CatalogWriter


class CatalogService:
    """Answers from the serving snapshot alone, and changes the overlay over it."""

    def __init__(self, door: Door, snapshots: Snapshots, catalog_writer: CatalogWriter) -> None:
        self._door = door
        self._snapshots = snapshots
        self._catalog_writer = catalog_writer

    async def GetItem(self, request: pb.GetItemRequest, call: Call) -> pb.GetItemResponse:
        """Returns one item by its id."""
        snapshot = self._snapshots.serving()
        item_id = ItemId(parser.checked_id("item_id", request.item_id))
        self._door.weigh(call)
        row = row_of(snapshot, item_id)
        call.model_version = snapshot.version
        item = renderer.item(snapshot.model.catalog, row)
        return pb.GetItemResponse(item=item, model_version=snapshot.version)

    async def ListItems(self, request: pb.ListItemsRequest, call: Call) -> pb.ListItemsResponse:
        """Returns items by title, genre and year."""
        self._snapshots.serving()
        arguments = parser.list_arguments(request, request.query)
        self._door.weigh(call)
        page = arguments.page
        snapshot, token = self._snapshots.of_page(page)
        call.model_version = snapshot.version
        start = token.position if token is not None and isinstance(token.position, int) else 0
        rows, stop, total = await offload(100 * len(snapshot), _listed, snapshot, arguments, start)
        following = None if stop is None else PageToken(snapshot.version, page.digest, stop)
        return pb.ListItemsResponse(
            items=renderer.items(snapshot.model.catalog, rows.tolist()),
            next_page_token=renderer.page_token(following, self._snapshots.page_key),
            model_version=snapshot.version,
            total_size=total,
        )

    async def ListItemClusters(
        self, request: pb.ListItemClustersRequest, call: Call
    ) -> pb.ListItemClustersResponse:
        """Returns groups of items that the same users like, each with its most rated items."""
        snapshot = self._snapshots.serving()
        most = parser.checked_size("max_items", request.max_items, default=5, most=50)
        self._door.weigh(call)
        call.model_version = snapshot.version
        clusters = await offload(100 * len(snapshot), _clusters, snapshot, most)
        return pb.ListItemClustersResponse(clusters=clusters, model_version=snapshot.version)

    async def ListPopularItems(
        self, request: pb.ListPopularItemsRequest, call: Call
    ) -> pb.ListPopularItemsResponse:
        """Returns the list of an unknown user."""
        self._snapshots.serving()
        arguments = parser.list_arguments(request)
        self._door.weigh(call)
        page = arguments.page
        snapshot, token = self._snapshots.of_page(page)
        mask = allowed_items(snapshot, arguments.item_filter)
        position = None if token is None else token.position
        ranked = await offload(
            snapshot.model.items.size,
            page_of,
            partial(popular_items, snapshot, mask),
            page.size,
            position if isinstance(position, Cursor) else None,
        )
        following = None
        if ranked.rest is not None:
            following = PageToken(snapshot.version, page.digest, ranked.rest)
        info = renderer.model_info(snapshot)
        info.personalization = ratings_pb2.PERSONALIZATION_POPULAR
        call.note_info(info)
        catalog = snapshot.model.catalog
        return pb.ListPopularItemsResponse(
            items=renderer.scored_items(catalog, ranked.hits, ratings_pb2.SOURCE_POPULAR),
            next_page_token=renderer.page_token(following, self._snapshots.page_key),
            serving_info=info,
        )

    async def UpsertItems(
        self, request: pb.UpsertItemsRequest, call: Call
    ) -> pb.UpsertItemsResponse:
        """Adds or changes items, all or none, and serves them here before it answers."""
        content = self._snapshots.serving().model.content
        length = 0 if content is None else content.embedding_length
        items = write_parser.upsert_arguments(request, length)
        self._door.weigh(call, len(items))
        changed = await self._catalog_writer.upsert(items)
        call.model_version = changed.snapshot.version
        trained = changed.snapshot.without_overlay.model.catalog
        return pb.UpsertItemsResponse(
            overlay_revision=changed.revision,
            model_version=changed.snapshot.version,
            trained_item_ids=[id_ for id_, _ in items if trained.row(id_) is not None],
        )

    async def SetItemAvailability(
        self, request: pb.SetItemAvailabilityRequest, call: Call
    ) -> pb.SetItemAvailabilityResponse:
        """Hides items or shows them again, all or none, here before it answers."""
        self._snapshots.serving()
        item_ids, available = write_parser.availability_arguments(request)
        self._door.weigh(call, len(item_ids))
        changed = await self._catalog_writer.set_availability(item_ids, available=available)
        call.model_version = changed.snapshot.version
        return pb.SetItemAvailabilityResponse(
            overlay_revision=changed.revision, model_version=changed.snapshot.version
        )


def _listed(
    snapshot: Snapshot, arguments: ListArguments, start: int
) -> tuple[Rows, int | None, int]:
    """Returns the rows of a page, where the next page begins (None at the end), and the total.

    Pages begin at places among all matching items, shown or not, so that hiding moves nothing.
    """
    rows = snapshot.titles.find(arguments.query)
    passing = matching_items(snapshot, arguments.item_filter)
    if passing is not None:
        rows = rows[passing[rows]]
    shown = np.ones(len(snapshot), np.bool_)
    if not arguments.unavailable:
        shown[snapshot.model.catalog.unavailable] = False
    places = np.flatnonzero(shown[rows])
    following = places[places >= start]
    page = following[: arguments.page.size]
    stop = int(page[-1]) + 1 if len(following) > len(page) else None
    return rows[page], stop, len(places)


def _clusters(snapshot: Snapshot, most: int) -> list[pb.ItemCluster]:
    catalog = snapshot.model.catalog
    by_count = np.argsort(-catalog.rating_counts, kind="stable")
    clusters = []
    for cluster in catalog.clusters:
        rows = by_count[catalog.cluster_ids[by_count] == cluster.id]
        rows = rows[~np.isin(rows, catalog.unavailable)]
        clusters.append(
            pb.ItemCluster(
                cluster_id=cluster.id,
                name=cluster.name,
                genres=cluster.genres,
                items=renderer.items(catalog, rows[:most].tolist()),
                size=cluster.size,
            )
        )
    return clusters
