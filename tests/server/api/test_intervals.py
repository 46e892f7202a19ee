"""Predicted ratings have the interval that they are likely to lie in, if the model knows it."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.personal.rating_intervals import rating_intervals
from foldin_model.personal.user_vectors import fold_user
from foldin_server.process.stores import Stores
from planted import planted
from server.live import Live, import_histories, live, publish_version
from snapshots import planted_snapshot, state_of

WHOLE = planted(whole=True)
ITEMS = ["101", "105", "150"]


@pytest.fixture
async def uncertain(stores: Stores) -> AsyncIterator[Live]:
    """A server whose model keeps its uncertainty."""
    publish_version(WHOLE, stores.models)
    await import_histories(WHOLE, stores.ratings, ["1"])
    async with live(stores) as running:
        yield running
    stores.models.close()


async def test_predictions_have_the_ends_of_their_interval(uncertain: Live) -> None:
    await uncertain.rate("new", "103", 4.5)
    snapshot = planted_snapshot(whole=True)
    rows = snapshot.model.catalog.rows(ITEMS)
    state = state_of({"103": 4.5})
    expected = rating_intervals(snapshot, state, fold_user(snapshot, state), rows)
    assert expected is not None
    for user in ("1", "new", "stranger"):
        answer = await uncertain.recommendations.PredictRatings(
            pb.PredictRatingsRequest(user_id=user, item_ids=ITEMS)
        )
        for p in answer.predictions:
            assert p.HasField("low")
            assert p.HasField("high")
            assert 0.5 <= p.low <= p.predicted_rating <= p.high <= 5.0
        if user == "new":
            np.testing.assert_allclose([p.low for p in answer.predictions], expected[0], rtol=1e-5)
            np.testing.assert_allclose([p.high for p in answer.predictions], expected[1], rtol=1e-5)


async def test_a_profile_counts_for_the_interval_as_well(uncertain: Live) -> None:
    request = pb.PredictRatingsRequest(user_id="1", item_ids=ITEMS)
    before = await uncertain.recommendations.PredictRatings(request)
    for item_id, value in (("103", 0.5), ("104", 5.0)):
        request.profile.ratings.add(item_id=item_id, value=value)
    after = await uncertain.recommendations.PredictRatings(request)
    assert [p.low for p in before.predictions] != [p.low for p in after.predictions]


async def test_a_model_without_uncertainty_leaves_intervals_unset(app: Live) -> None:
    answer = await app.recommendations.PredictRatings(
        pb.PredictRatingsRequest(user_id="1", item_ids=ITEMS)
    )
    assert not any(p.HasField("low") or p.HasField("high") for p in answer.predictions)
