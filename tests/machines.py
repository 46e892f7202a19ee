"""A real store for one test, which the test can kill, stop and start again."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

from foldin_model.ids import ItemId, UserId
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.protocols import RatingWrite
from foldin_model.store.redis.ratings import RedisRatingStore


class Machine:
    """A store that can be killed and started again on the same data."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._users = ExitStack()
        self.url = self.start()

    def start(self) -> str:
        return self._users.enter_context(embedded_store(self._data_dir, appendfsync="always"))

    def signal(self, number: signal.Signals) -> None:
        os.kill(int((self._data_dir / "store" / "valkey.pid").read_text()), number)

    def close(self) -> None:
        self._users.close()


@asynccontextmanager
async def opened(machine: Machine, *, timeout_s: float = 1.0) -> AsyncIterator[RedisRatingStore]:
    store = RedisRatingStore(machine.url, "ns", timeout_s=timeout_s)
    yield store
    await store.close()


def write(user: str, item: str, value: float = 3.0) -> RatingWrite:
    return RatingWrite(UserId(user), ItemId(item), value, request_id=uuid4())
