"""One search: kept in a journal on disk, so that it goes on where it stopped, in many processes.

What a trial is worth is an objective's; here trials are asked for, cut short and remembered.
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

UNPRUNED: Final = 5  # trials that are always measured whole, for the others to be compared with
PASSES: Final = 1_000  # steps of a fold, for trials to be compared after the same pass
SEEDS: Final = int(SEED.high) + 1
FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched, and how long: until `trials` of the journal are finished or time is up."""

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

    `key` is short, the same for the same data, method, metric, folds and seed, and else another.
    """

    values: Mapping[str, Setting]
    figure: float
    finished: int
    pruned: int
    key: str


@dataclass(frozen=True, slots=True)
class Step:
    """One finished trial: its figure, or None where it was cut short."""

    number: int
    figure: float | None
    best: float | None


Report = Callable[[Step], None]


class Tickets(Protocol):
    """What a job takes one of for every trial; who gets none ends."""

    def acquire(self, *, blocking: bool) -> bool:
        """Whether there was one left to take."""
        ...


def search(search: Search, load: Callable[[], Dataset], jobs: int, report: Report) -> Found | None:
    """The best values of the journal after the search; None where no trial was finished.

    `load` gives the data set, in every process anew; it must be picklable where `jobs` is not 1.
    The same search in one process from an empty journal finds the same. Whatever ends it early, a
    trial under way counts for nothing. Raises FoldinError for more folds than there are parts.
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
    """Processes have shared the trials that are left."""
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
    """Processes that are started within never report Ctrl-C: who started them ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _exit_on_sigterm() -> None:
    """From now on the process ends by an exception, and so never in the middle of a line."""
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
    """The next trial, finished. One that something else than an error ends stays unfinished."""
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
    """What the search is about: this very data, method and metric, and these folds."""
    about = (search.method, search.metric, search.folds, search.seed, content_hash(dataset))
    return " ".join(map(str, about))


def _study(search: Search, name: str, job: int) -> optuna.Study:
    """The study of the journal that has the name."""
    storage = open_journal(search.journal)
    known = {summary.study_name: summary for summary in optuna.get_all_study_summaries(storage)}
    past = known[name].n_trials if name in known else 0
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize" if lower_is_better(search.metric) else "maximize",
        # A search that goes on must not try again what it began with.
        sampler=optuna.samplers.TPESampler(seed=(search.seed + 1_000 * job + past) % SEEDS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=0),
        load_if_exists=True,
    )


def _measured(search: Search, dataset: Dataset, trial: optuna.Trial) -> float:
    """The mean over folds.

    After each, and after each look at a training under way, the trial may be found to lead
    nowhere: a look counts as the fold's figure would.
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
