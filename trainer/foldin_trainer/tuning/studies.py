"""One search: kept in a journal on disk, so that it goes on where it stopped, in many processes.

What a trial is worth is an objective's; here trials are asked for, cut short and remembered.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Final

import optuna
from foldin_model.manifest import Setting
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, TrialState

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.tuning.objectives import TUNABLE, Measuring, Metric, lower_is_better

UNPRUNED: Final = 5  # trials that are always measured whole, for the others to be compared with
PASSES: Final = 1_000  # steps of a fold, for trials to be compared after the same pass
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
    """The best values so far; `finished` trials were measured, `pruned` of them in part."""

    values: Mapping[str, Setting]
    figure: float
    finished: int
    pruned: int


@dataclass(frozen=True, slots=True)
class Step:
    """One finished trial: its figure, or None where it was cut short."""

    number: int
    figure: float | None
    best: float | None


Hear = Callable[[Step], None]


def search(search: Search, load: Callable[[], Dataset], jobs: int, hear: Hear) -> Found | None:
    """The best values of the journal after the search; None where no trial was finished.

    `load` gives the data set, in every process anew; it must be picklable where `jobs` is not 1.
    The same search in one process from an empty journal finds the same.
    """
    search.journal.parent.mkdir(parents=True, exist_ok=True)
    if jobs == 1:
        _work(search, load, 0, hear)
    else:
        _study(search, load(), 0)  # made once, before many would make it
        context = get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            for done in [pool.submit(_work, search, load, job, hear) for job in range(jobs)]:
                done.result()
    return _found(_study(search, load(), 0))


def _work(search: Search, load: Callable[[], Dataset], job: int, hear: Hear) -> None:
    dataset = load()
    study = _study(search, dataset, job)
    left = search.trials - len(study.get_trials(deepcopy=False, states=FINISHED))
    if left > 0:
        study.optimize(
            lambda trial: _measured(search, dataset, trial),
            timeout=search.timeout_s,
            callbacks=[
                MaxTrialsCallback(search.trials, states=FINISHED),
                lambda study, trial: hear(_step(study, trial)),
            ],
        )


def _study(search: Search, dataset: Dataset, job: int) -> optuna.Study:
    """The study of the journal that is about this very data, method, metric and these folds."""
    storage = JournalStorage(JournalFileBackend(str(search.journal)))
    about = (search.method, search.metric, search.folds, search.seed, dataset.ratings.hash)
    name = " ".join(map(str, about))
    known = {summary.study_name: summary for summary in optuna.get_all_study_summaries(storage)}
    past = known[name].n_trials if name in known else 0
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize" if lower_is_better(search.metric) else "maximize",
        # A search that goes on must not try again what it began with.
        sampler=optuna.samplers.TPESampler(seed=(search.seed + 1_000 * job + past) % 2**32),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=0),
        load_if_exists=True,
    )


def _measured(search: Search, dataset: Dataset, trial: optuna.Trial) -> float:
    """The mean over folds.

    After each, and after each look at a training under way, the trial may be found to lead
    nowhere: a look counts as the fold's figure would.
    """
    tunable = TUNABLE[search.method]
    values = {name: range_.suggest(trial, name) for name, range_ in tunable.space.items()}
    figures: list[float] = []

    def compare(figure: float, step: int) -> None:
        trial.report(fmean([*figures, figure]), step)
        if trial.should_prune():
            raise optuna.TrialPruned

    def look(passes: int, figure: float) -> None:
        compare(figure, len(figures) * PASSES + passes)

    how = Measuring(search.folds, search.seed, search.metric, look)
    for figure in tunable.measure(dataset, values, how):
        if len(figures) + 1 < search.folds:
            compare(figure, (len(figures) + 1) * PASSES)
        figures.append(figure)
    return fmean(figures)


def _step(study: optuna.Study, trial: FrozenTrial) -> Step:
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    figure = trial.value if trial.state == TrialState.COMPLETE else None
    return Step(trial.number + 1, figure, study.best_value if complete else None)


def _found(study: optuna.Study) -> Found | None:
    finished = study.get_trials(deepcopy=False, states=FINISHED)
    pruned = sum(trial.state == TrialState.PRUNED for trial in finished)
    if len(finished) == pruned:
        return None
    return Found(study.best_params, study.best_value, len(finished), pruned)
