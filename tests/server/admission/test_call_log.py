"""What a server tells of itself: a line and a metric a call, and never a user."""

import io
import json
import logging

import pytest
from foldin_model.ids import UserId
from foldin_server.admission.call_log import CallLog
from foldin_server.runtime.json_log import JsonLines
from foldin_server.runtime.metrics import Metrics
from planted import Planted
from server.faults import Gate
from server.live import Live, failure


def sample(app: Live, name: str, **labels: str) -> float:
    return app.server.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_every_call_is_counted_by_outcome(app: Live) -> None:
    await app.recommend("1")
    await failure(app.recommend(""))
    assert sample(app, "foldin_rpc_seconds_count", method="Recommend", code="OK") == 1
    assert sample(app, "foldin_rpc_seconds_count", method="Recommend", code="INVALID_ARGUMENT") == 1
    assert sample(app, "foldin_answers_total", personalization="trained", degraded="no") == 1
    assert sample(app, "foldin_in_flight_calls") == 0


async def test_a_failure_behind_an_answer_is_counted(app: Live, ratings: Gate) -> None:
    async def refuse(*_: object) -> bool:
        raise RuntimeError("the disk is full")

    ratings.keep_folded = refuse  # type: ignore[method-assign, assignment]
    await app.recommend("1")
    await app.server.background.drain()
    assert sample(app, "foldin_background_failures_total", task="keep_folded") == 1


async def test_a_folded_user_is_kept_behind_the_answer(app: Live, ratings: Gate) -> None:
    await app.rate("new", "101", 4.0)
    await app.recommend("new")
    await app.server.background.drain()
    version = app.server.snapshots.serving().version
    assert (await ratings.read(UserId("new"), version)).folded is not None


def test_a_log_line_is_one_json_object_with_all_that_it_carries() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    record = logging.makeLogRecord({"msg": "rpc", "levelname": "INFO", "ms": 1.5, "code": "OK"})
    handler.emit(record)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["ms"], line["code"]) == ("rpc", "info", 1.5, "OK")


def test_a_user_is_named_by_a_keyed_hash() -> None:
    ours, theirs = (CallLog(Metrics(), write_lines=True) for _ in range(2))
    ours.hash_key, theirs.hash_key = b"a" * 32, b"b" * 32
    name = ours.user_hash(UserId("ann"))
    assert name == ours.user_hash(UserId("ann"))
    assert name not in {theirs.user_hash(UserId("ann")), ours.user_hash(UserId("bob"))}


def test_calls_are_counted_in_the_buckets_that_they_fall_in() -> None:
    metrics = Metrics()
    for seconds in (0.0001, 0.001, 0.0011, 7.0):
        metrics.calls.count("Recommend", "OK", seconds, "trained")
    metrics.calls.count("Recommend", "OK", 1.0, "popular", degraded=True)
    metrics.calls.count("Recommend", "ABORTED", 1.0)

    def told(name: str, **labels: str) -> float | None:
        found = {"method": "Recommend", "code": "OK", **labels}
        return metrics.registry.get_sample_value(f"foldin_rpc_seconds_{name}", found)

    bounds = ("0.0005", "0.001", "0.0025", "2.5", "+Inf")
    assert [told("bucket", le=bound) for bound in bounds] == [1, 2, 3, 4, 5]
    assert told("count") == 5
    assert told("sum") == pytest.approx(8.0022)
    assert told("count", code="ABORTED") == 1
    (answers,) = (each for each in metrics.calls.collect() if each.name == "foldin_answers")
    made = {tuple(each.labels.values()): each.value for each in answers.samples}
    assert made == {("trained", "no"): 4, ("popular", "yes"): 1}


def test_metrics_end_in_their_unit(small: Planted) -> None:
    units = {"seconds", "total", "calls", "items", "entries", "ratio", "bytes", "info", "created"}
    for family in Metrics().registry.collect():
        if family.name.startswith("foldin_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            assert name.rpartition("_")[2] in units, name
