"""Recommends items to a user, rates the first one, and recommends again with that rating.

    make up                                        # in another terminal
    python examples/recommend_and_rate.py USER

The server is that of FOLDIN_ADDRESS, by default 127.0.0.1:50051.
"""

import os
import sys

from foldin_client import Client
from foldin_client.errors import FoldinError


def main(user_id: str) -> None:
    with Client(os.environ.get("FOLDIN_ADDRESS", "127.0.0.1:50051")) as foldin:
        first = foldin.recommend(user_id, page_size=5)
        print(f"Recommended to {user_id} by model {first.serving_info.model_version}:")
        for item in first.items:
            print(f"  {item.score:7.3f}  {item.title}")

        rated = first.items[0]
        written = foldin.submit_rating(user_id, rated.item_id, 5.0)
        print(f"\n{user_id} rates {rated.title!r} with 5. Now:")

        # The revision makes every server answer with this rating or fail; none answers without it.
        second = foldin.recommend(
            user_id, page_size=5, explain=True, min_user_revision=written.user_revision
        )
        for item in second.items:
            reasons = ", ".join(reason.title for reason in item.reasons)
            print(f"  {item.score:7.3f}  {item.title}  (because of {reasons})")

        foldin.delete_rating(user_id, rated.item_id)
        print(f"\nThe rating is deleted again; {user_id} is as before.")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "ada")
    except FoldinError as error:
        sys.exit(f"{error.reason}: {error}")
