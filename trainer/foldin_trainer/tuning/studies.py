"""Runs a search in one or more processes; a journal on disk lets it continue where it stopped.

`objectives` measures a trial; this module asks for trials, prunes them and records them.
"""

import math
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from statistics import fmean
from threading import Semaphore
from typing import Final, Protocol

import optuna
from foldin_model.errors import FoldinError
from foldin_model.trained.manifest import Setting
from optuna.trial import FrozenTrial, TrialState

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.learning.registry.limits import SEED
from foldin_trainer.tuning.identity import content_hash, short
from foldin_trainer.tuning.journals import open_journal
from foldin_trainer.tuning.objectives import (
    MeasureSettings,
    Metric,
    check_divisible,
    lower_is_better,
    tunable,
)

UNPRUNED: Final = 5  # trials that are never pruned, for the others to be compared with
PASSES: Final = 1_000  # steps of a fold, so that trials are compared after the same pass
SEEDS: Final = int(SEED.high) + 1
FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True, slots=True)
class Search:
    """A search for a method, until `trials` of the journal are finished or time is up."""

    method: str
    metric: Metric
    journal: Path
    trials: int
    folds: int
    seed: int
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The best values so far; `finished` trials were measured, `pruned` of them in part.

    `key` is short and identifies the data, method, metric, folds and seed.
    """

    values: Mapping[str, Setting]
    figure: float
    finished: int
    pruned: int
    key: str


@dataclass(frozen=True, slots=True)
class Step:
    """One finished trial: its figure, or None if it was pruned."""

    number: int
    figure: float | None
    best: float | None


Report = Callable[[Step], None]


class Tickets(Protocol):
    """The trials that are left: a job takes one ticket for each, and ends if there is none."""

    def acquire(self, *, blocking: bool) -> bool:
        """Takes a ticket. Returns whether there was one."""
        ...


def search(search: Search, load: Callable[[], Dataset], jobs: int, report: Report) -> Found | None:
    """Returns the best values of the journal after the search, or None without a finished trial.

    `load` returns the data set and is called in every process; it must be picklable if `jobs` is
    not 1. The same search in one process, from an empty journal, finds the same. If the search ends
    early, an unfinished trial does not count. Raises FoldinError for more folds than ratings or
    users.
    """
    dataset = load()
    check_divisible(search.method, dataset.ratings, search.folds)
    name = _name(search, dataset)
    left = max(search.trials - len(_finished(_study(search, name, 0))), 0)
    if jobs == 1:
        _work(search, lambda: dataset, 0, Semaphore(left), report)
    elif left:
        del dataset
        _work_together(search, load, min(jobs, left), left, report)
    return _found(_study(search, name, 0), name)


def _work_together(
    search: Search, load: Callable[[], Dataset], jobs: int, left: int, report: Report
) -> None:
    """Runs the trials that are left in several processes."""
    context = get_context("spawn")
    with ExitStack() as stack:
        with _interrupts_ignored():
            tickets = stack.enter_context(context.Manager()).Semaphore(left)
            pool = stack.enter_context(
                ProcessPoolExecutor(jobs, mp_context=context, initializer=_exit_on_sigterm)
            )
            running = [
                pool.submit(_work, search, load, job, tickets, report) for job in range(jobs)
            ]
        try:
            for done in as_completed(running):
                done.result()
        except BaseException:
            for process in active_children():
                process.terminate()
            raise


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Makes processes started in the block ignore Ctrl-C; their parent ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _exit_on_sigterm() -> None:
    """Makes SIGTERM end the process by an exception, and so never in the middle of a line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())


def _work(
    search: Search, load: Callable[[], Dataset], job: int, tickets: Tickets, report: Report
) -> None:
    dataset, end = load(), math.inf
    if search.timeout_s is not None:
        end = time.monotonic() + search.timeout_s
    study = _study(search, _name(search, dataset), job)
    while time.monotonic() < end and tickets.acquire(blocking=False):
        report(_step(study, _tried(search, dataset, study)))


def _tried(search: Search, dataset: Dataset, study: optuna.Study) -> FrozenTrial:
    """Runs the next trial and returns it finished. An interrupted one stays unfinished."""
    trial = study.ask()
    try:
        figure = _measured(search, dataset, trial)
    except optuna.TrialPruned:
        return study.tell(trial, state=TrialState.PRUNED)
    except Exception:
        study.tell(trial, state=TrialState.FAIL)
        raise
    return study.tell(trial, figure)


def _name(search: Search, dataset: Dataset) -> str:
    """Returns the name of the study: method, metric, folds, seed and a hash of the data."""
    about = (search.method, search.metric, search.folds, search.seed, content_hash(dataset))
    return " ".join(map(str, about))


def _study(search: Search, name: str, job: int) -> optuna.Study:
    """Returns the study of that name in the journal."""
    storage = open_journal(search.journal)
    known = {summary.study_name: summary for summary in optuna.get_all_study_summaries(storage)}
    past = known[name].n_trials if name in known else 0
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize" if lower_is_better(search.metric) else "maximize",
        # A search that continues must not repeat the draws of its beginning.
        sampler=optuna.samplers.TPESampler(seed=(search.seed + 1_000 * job + past) % SEEDS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=0),
        load_if_exists=True,
    )


def _measured(search: Search, dataset: Dataset, trial: optuna.Trial) -> float:
    """Returns the mean over folds.

    The trial may be pruned after each fold, and after each look at a training: a look is compared
    as if it were the fold's figure.
    """
    method = tunable(search.method)
    values = {name: range_.suggest(trial, name) for name, range_ in method.space.items()}
    figures: list[float] = []

    def compare(figure: float, step: int) -> None:
        trial.report(fmean([*figures, figure]), step)
        if trial.should_prune():
            raise optuna.TrialPruned

    def look(passes: int, figure: float) -> None:
        compare(figure, len(figures) * PASSES + passes)

    how = MeasureSettings(search.folds, search.seed, search.metric, look)
    for figure in method.measure(dataset, values, how):
        if not math.isfinite(figure):
            raise FoldinError(
                f"fold {len(figures) + 1} of {search.folds} has nothing to measure {search.metric} "
                "by; lower --folds or give more ratings"
            )
        if len(figures) + 1 < search.folds:
            compare(figure, (len(figures) + 1) * PASSES)
        figures.append(figure)
    return fmean(figures)


def _step(study: optuna.Study, trial: FrozenTrial) -> Step:
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    figure = trial.value if trial.state == TrialState.COMPLETE else None
    return Step(trial.number + 1, figure, study.best_value if complete else None)


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=FINISHED)


def _found(study: optuna.Study, name: str) -> Found | None:
    finished = _finished(study)
    pruned = sum(trial.state == TrialState.PRUNED for trial in finished)
    if len(finished) == pruned:
        return None
    return Found(study.best_params, study.best_value, len(finished), pruned, short(name))
