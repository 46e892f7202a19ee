"""How the threads other than the event loop's are scheduled."""

import os
from collections.abc import Iterator
from threading import Thread

import pytest
from foldin_server.runtime.threads import batch_scheduling

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a policy of Linux")


def policy_of_a_thread() -> int:
    found: list[int] = []
    thread = Thread(target=lambda: found.append(os.sched_getscheduler(0)))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def batch() -> Iterator[None]:
    """The process was started under the batch policy."""
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    yield
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def test_threads_started_inside_have_the_batch_policy_and_their_starter_has_not() -> None:
    with batch_scheduling():
        assert policy_of_a_thread() == os.SCHED_BATCH
    assert policy_of_a_thread() == os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_failure_inside_leaves_the_policy_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), batch_scheduling():
        raise ZeroDivisionError
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.usefixtures("batch")
def test_a_chosen_policy_stays() -> None:
    with batch_scheduling():
        assert policy_of_a_thread() == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_BATCH


def test_nothing_changes_where_scheduling_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    with batch_scheduling():
        assert policy_of_a_thread() == os.SCHED_OTHER
