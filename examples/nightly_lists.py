"""Writes long lists for many users, one JSON object a line, as a nightly job would.

    python examples/nightly_lists.py --length 500 USER... > lists.jsonl

The server is that of FOLDIN_ADDRESS, by default 127.0.0.1:50051.
"""

import argparse
import asyncio
import json
import os

from foldin_client import AsyncClient
from foldin_client.errors import FoldinError

AT_ONCE = 16  # lists in work at a time, so that the server has room for other callers
PAGE_SIZE = 100  # the largest is 200


async def item_ids(foldin: AsyncClient, user_id: str, length: int) -> list[str]:
    """The best `length` items of a user. The pages of one list never repeat or skip an item."""
    found: list[str] = []
    async for page in foldin.recommend_pages(user_id, page_size=min(length, PAGE_SIZE)):
        found += [item.item_id for item in page.items]
        if len(found) >= length:
            break
    return found[:length]


async def write_lists(user_ids: list[str], length: int) -> None:
    """Prints one line a user, in the order in which the lists are ready."""
    room = asyncio.Semaphore(AT_ONCE)
    address = os.environ.get("FOLDIN_ADDRESS", "127.0.0.1:50051")
    async with AsyncClient(address, timeout_s=10.0) as foldin:

        async def write(user_id: str) -> None:
            async with room:
                try:
                    line = {"user_id": user_id, "items": await item_ids(foldin, user_id, length)}
                except FoldinError as error:  # one failed list does not stop the others
                    line = {"user_id": user_id, "error": error.reason}
            print(json.dumps(line))

        await asyncio.gather(*map(write, user_ids))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes long lists for many users.")
    parser.add_argument("user_ids", nargs="+", metavar="USER")
    parser.add_argument("--length", type=int, default=500, help="items a user")
    arguments = parser.parse_args()
    asyncio.run(write_lists(arguments.user_ids, arguments.length))
