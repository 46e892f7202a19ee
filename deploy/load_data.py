"""Writes the requests of the load files: users and items drawn by Zipf's law from one seed.

ghz and k6 read the same files, `deploy/data/*.json`, which are committed; a test holds them to this
program.
"""

import json
from pathlib import Path
from random import Random

DATA = Path(__file__).parent / "data"
SEED = 20_240_501
COUNT = 1_000
USERS = 600  # ids 1 to 600 are users of both ml-latest-small and ml-100k
ZIPF_EXPONENT = 1.1

# The 200 ids with the most ratings in both ml-latest-small and ml-100k, most first. A number
# exists in both, as different films.
ITEMS = """\
318 1 50 527 588 480 150 367 153 597 47 231 293 260 380 208 185 316 2 111 223 161 357 292 356
750 288 919 10 39 924 21 95 410 32 300 317 62 736 25 778 1101 141 1028 11 235 474 19 520 780
48 17 434 648 163 508 1073 165 595 1035 435 553 173 509 158 596 420 708 923 160 70 344 432 7
168 172 485 673 3 225 466 145 333 5 216 541 661 186 339 44 196 236 329 552 616 1079 1197 151
539 849 252 497 589 261 431 441 350 355 494 762 224 282 471 529 802 1228 16 370 785 1221 29 31
277 315 1089 1210 58 364 455 783 1090 22 180 345 585 671 902 1060 170 193 266 628 1020 1059 60
327 524 586 653 969 265 342 610 637 1047 1244 45 303 1022 65 110 135 272 349 368 500 724 204
608 1215 1220 1267 246 647 719 743 898 1061 1136 24 52 198 273 362 1042 1129 348 457 720 741
805 880 922 1021 6 107 253 413 1240 475"""

# Shapes of a Recommend call and how often each comes.
SHAPES: tuple[tuple[int, dict[str, object]], ...] = (
    (70, {}),
    (10, {"filter": {"include_genres": ["Comedy"]}}),
    (10, {"include_explanations": True}),
    (5, {"diversity": {"strength": 0.3}}),
    (5, {"page_size": 50}),
)


def zipf(random: Random, values: list[str]) -> list[str]:
    """Returns `COUNT` draws, the k-th value with a probability proportional to k^-1.1."""
    weights = [rank**-ZIPF_EXPONENT for rank in range(1, len(values) + 1)]
    return random.choices(values, weights, k=COUNT)


def requests() -> dict[str, list[dict[str, object]]]:
    """Returns the requests by the name of their file, as JSON of their protobuf messages."""
    random = Random(SEED)
    ids = [str(user) for user in range(1, USERS + 1)]
    random.shuffle(ids)  # so that the busiest users are not those with the lowest numbers
    weights = [share for share, _ in SHAPES]
    shapes = random.choices([shape for _, shape in SHAPES], weights, k=COUNT)
    return {
        "recommend": [{"user_id": user, "page_size": 10} for user in zipf(random, ids)],
        "similar": [{"item_id": item, "page_size": 10} for item in zipf(random, ITEMS.split())],
        "submit": [
            {
                "user_id": user,
                "item_id": item,
                "value": random.randint(1, 5),
                "request_id": "{{.UUID}}",  # ghz puts a new one in every call
            }
            for user, item in zip(zipf(random, ids), zipf(random, ITEMS.split()), strict=True)
        ],
        "mixed": [
            {"user_id": user, "page_size": 10, **shape}
            for user, shape in zip(zipf(random, ids), shapes, strict=True)
        ],
    }


def render(entries: list[dict[str, object]]) -> str:
    """Returns a JSON array with one request a line."""
    return "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n"


def main() -> None:
    DATA.mkdir(exist_ok=True)
    for name, entries in requests().items():
        (DATA / f"{name}.json").write_text(render(entries), encoding="utf-8")
        print(f"{len(entries)} requests written to {DATA / name}.json")


if __name__ == "__main__":
    main()
