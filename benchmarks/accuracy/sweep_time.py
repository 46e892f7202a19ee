"""Time of a sweep of the samplers and solvers, compared with libraries, on one thread."""

from foldin_trainer.data import Dataset
from foldin_trainer.learning.train_settings import TrainSettings

from benchmarks import bayes_time, ials_time
from benchmarks.accuracy.findings import Findings, Row

BAYES_DATA = "ml-100k"


def sweep_time(dataset: Dataset, settings: TrainSettings) -> Findings:
    """Returns the seconds of a sweep of foldin and of the library."""
    del settings  # the sweeps that are timed are at the dimensions of the bars
    found = Findings(dataset.report.name)
    ours, theirs = ials_time.measure(dataset)
    table: list[Row] = [_row("iALS, d 64", "implicit", ours, theirs)]
    found.measured["accuracy.ials_time"] = ours / theirs
    if found.data == BAYES_DATA:
        ours, theirs = bayes_time.measure(dataset)
        table.append(_row("bayes, K 16", "myFM", ours, theirs))
        found.measured["accuracy.bayes_time"] = ours / theirs
    found.add("time of a sweep", table)
    return found


def _row(sweep: str, over: str, ours_s: float, theirs_s: float) -> Row:
    return {"sweep": sweep, "over": over, "ours_s": ours_s, "theirs_s": theirs_s}
