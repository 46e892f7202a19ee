"""The parts of the benchmark, and the settings that each is measured with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from foldin_trainer.data import Dataset, load_dataset
from foldin_trainer.learning.train_settings import TrainSettings

from benchmarks.accuracy.findings import Findings
from benchmarks.accuracy.heads import heads
from benchmarks.accuracy.newcomers import cold, fold_in
from benchmarks.accuracy.ranking import ranking
from benchmarks.accuracy.rating import rating
from benchmarks.accuracy.sweep_time import sweep_time

BEST = TrainSettings(rating_head="bayes")
QUICK = TrainSettings()

Part = Callable[[Dataset, TrainSettings], Findings]
PARTS: Mapping[str, tuple[Part, TrainSettings]] = MappingProxyType(
    {
        "rating": (rating, BEST),
        "ranking": (ranking, QUICK),
        "heads": (heads, QUICK),
        "fold-in": (fold_in, QUICK),
        "cold": (cold, QUICK),
        "time": (sweep_time, QUICK),
    }
)


@dataclass(frozen=True, slots=True)
class Task:
    """One part on one data set."""

    part: str
    data: str

    def run(self) -> Findings:
        """Returns its findings."""
        part, settings = PARTS[self.part]
        return part(load_dataset(self.data), settings)
