"""Which states of tracked users are held, and what drops them."""

import pytest
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_server.recommend.tracked_users import TrackedUsers
from foldin_server.runtime.metrics import Metrics
from hypothesis import given
from hypothesis import strategies as st

ANN = UserId("ann")
VERSION = Version("v1")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracked(clock: Clock) -> TrackedUsers:
    users = TrackedUsers(2, Metrics(), clock)
    users.trusted(102.0)
    return users


def state(revision: int) -> PackedUser:
    return PackedUser(VERSION, revision, b"")


def test_a_state_read_before_a_change_is_not_held_after_it(tracked: TrackedUsers) -> None:
    mark = tracked.mark(ANN)
    tracked.changed(ANN)
    tracked.put(ANN, state(7), mark)
    assert tracked.get(ANN, VERSION) is None
    tracked.put(ANN, state(8), tracked.mark(ANN))
    held = tracked.get(ANN, VERSION)
    assert held is not None
    assert held.revision == 8


@pytest.mark.parametrize("event", ["all changed", "lost", "lost and found"])
def test_a_state_read_before_all_was_dropped_is_not_held_after_it(
    tracked: TrackedUsers, event: str
) -> None:
    mark = tracked.mark(ANN)
    if event == "all changed":
        tracked.changed(None)
    else:
        tracked.lost("gone")
    if event == "lost and found":
        tracked.trusted(102.0)
    tracked.put(ANN, state(7), mark)
    assert tracked.get(ANN, VERSION) is None


def test_a_state_read_while_no_user_is_tracked_is_never_held(clock: Clock) -> None:
    users = TrackedUsers(2, Metrics(), clock)
    mark = users.mark(ANN)
    users.trusted(102.0)
    users.put(ANN, state(7), mark)
    assert users.get(ANN, VERSION) is None


def test_no_state_is_trusted_after_its_time(tracked: TrackedUsers, clock: Clock) -> None:
    tracked.put(ANN, state(7), tracked.mark(ANN))
    clock.now_s = 101.9
    assert tracked.get(ANN, VERSION) is not None
    clock.now_s = 102.0
    assert tracked.get(ANN, VERSION) is None
    tracked.trusted(104.0)  # the feed missed no change meanwhile
    assert tracked.get(ANN, VERSION) is not None


def test_revision_0_another_version_and_an_older_revision_are_not_answered(
    tracked: TrackedUsers,
) -> None:
    tracked.put(ANN, state(0), tracked.mark(ANN))
    assert tracked.get(ANN, VERSION) is None
    tracked.put(ANN, state(7), tracked.mark(ANN))
    assert tracked.get(ANN, Version("v2")) is None
    assert tracked.get(ANN, VERSION, min_revision=8) is None


def test_the_least_recently_used_user_leaves_first(tracked: TrackedUsers) -> None:
    for name in ("a", "b"):
        tracked.put(UserId(name), state(7), tracked.mark(UserId(name)))
    tracked.get(UserId("a"), VERSION)
    tracked.put(UserId("c"), state(7), tracked.mark(UserId("c")))
    assert {name for name in "abc" if tracked.get(UserId(name), VERSION)} == {"a", "c"}
    assert len(tracked) == 2


@given(st.lists(st.sampled_from(("read", "write", "report", "keep")), max_size=40))
def test_once_all_changes_are_reported_no_old_state_is_held(steps: list[str]) -> None:
    """Reports have their own connection: they come before, between and after other replies."""
    users = TrackedUsers(2, Metrics(), Clock())
    users.trusted(102.0)
    revision, reported = 1, True
    reads: list[tuple[int | None, int]] = []
    for step in steps:
        if step == "read":
            reads.append((users.mark(ANN), revision))
        elif step == "write":
            revision, reported = revision + 1, False
        elif step == "report" and not reported:
            users.changed(ANN)
            reported = True
        elif step == "keep" and reads:
            mark, seen = reads.pop(0)
            users.put(ANN, state(seen), mark)
        held = users.get(ANN, VERSION)
        assert held is None or not reported or held.revision == revision
