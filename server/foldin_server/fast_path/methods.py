"""The switch: which methods are answered by the fast path."""

from collections.abc import Mapping

from foldin.v1 import recommendation_pb2

from foldin_server.admission.door import Door
from foldin_server.admission.method import Method
from foldin_server.fast_path.answer_cache import AnswerCache
from foldin_server.fast_path.batch_answers import BatchAnswers
from foldin_server.fast_path.fast_batch import FastBatch
from foldin_server.fast_path.fast_recommend import FastRecommend
from foldin_server.recommend.recommender import Recommender
from foldin_server.recommend.users import Users
from foldin_server.settings import ChosenTransport
from foldin_server.versions.snapshots import Snapshots

_SERVICE = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"].full_name
RECOMMEND = f"/{_SERVICE}/Recommend"
BATCH_RECOMMEND = f"/{_SERVICE}/BatchRecommend"


def with_fast_path(
    methods: Mapping[str, Method],
    door: Door,
    snapshots: Snapshots,
    recommender: Recommender,
    users: Users,
    *,
    cache_size: int,
    transport: ChosenTransport,
) -> dict[str, Method]:
    """Returns the methods with the fast path put before Recommend and BatchRecommend.

    Both answer with the bytes of the general way.
    """
    general, general_batch = methods[RECOMMEND], methods[BATCH_RECOMMEND]
    cache = AnswerCache(cache_size)
    batches = BatchAnswers(snapshots, users, cache, transport)
    recommend = FastRecommend(
        general.begin, door, recommender, snapshots, cache=cache, batches=batches
    )
    batch = FastBatch(general_batch.begin, door, snapshots, recommend)
    return {
        **methods,
        RECOMMEND: general._replace(begin=recommend.begin),
        BATCH_RECOMMEND: general_batch._replace(begin=batch.begin),
    }
