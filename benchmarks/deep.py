"""What a hidden layer adds to the linear encoder: `python benchmarks/deep.py`.

Held-out users, NDCG@10 for all hidden ratings and for the liked ones, beside the tuned references,
with paired bootstrap intervals. Every choice is made on users inside the training part.
"""

from collections.abc import Sequence

import click
import numpy as np
from foldin_model.arrays import Doubles
from foldin_trainer.data import Dataset, Ratings, load_dataset
from foldin_trainer.evaluation.encoded import Encoded
from foldin_trainer.evaluation.evaluating import Learner
from foldin_trainer.evaluation.intervals import ratio_interval
from foldin_trainer.evaluation.methods import Method
from foldin_trainer.evaluation.protocols import ProtocolSettings, trials
from foldin_trainer.evaluation.scoring import Scores, run
from foldin_trainer.evaluation.tuning import tuned_references, validation_trial
from foldin_trainer.learning.deep.settings import DeepSettings
from foldin_trainer.learning.deep.training import train_deep
from foldin_trainer.learning.encoder.settings import EncoderSettings
from foldin_trainer.learning.encoder.stopping import look
from foldin_trainer.learning.encoder.training import train_encoder
from foldin_trainer.learning.train_settings import TrainSettings

DATA = ("ml-latest-small", "ml-100k")
COUNT = 10
DEEP = (DeepSettings(), DeepSettings(hidden=256, dropout=0.5, linear_rate=1e-4))
LINEAR, NEURAL = "linear encoder", "neural encoder"


def encoders(train: Ratings) -> list[Method]:
    """The linear and the neural encoder of `train`, as long and as large as served others best."""
    trial, settings = validation_trial(train), EncoderSettings()
    first = train_encoder(trial.train, settings, trial.cases)
    found = [train_deep(trial.train, first, deep, settings, trial.cases) for deep in DEEP]
    chosen = int(np.argmax([look(0, one, trial.cases, train.scale).quality for one in found]))
    print(f"  passes: {first.best_epoch}, then {found[chosen].best_epoch} of {DEEP[chosen]}")
    linear = train_encoder(train, settings, stop_after=first.best_epoch)
    passes = found[chosen].best_epoch
    neural = train_deep(train, linear, DEEP[chosen], settings, stop_after=passes)
    return [Encoded(LINEAR, linear), Encoded(NEURAL, neural)]


def measure(dataset: Dataset, *, served: bool, references: bool) -> tuple[Scores, ...]:
    """All methods over the folds of held-out users."""
    learner = Learner(dataset, TrainSettings(), say=print)

    def fit(train: Ratings) -> Sequence[Method]:
        known = [*tuned_references(train)] if references else []
        ours = [m for m in learner.fit(train) if m.name == "foldin"] if served else []
        return [*encoders(train), *known, *ours]

    return run(trials("held-out-users", dataset.ratings, ProtocolSettings()), fit, COUNT)


def _ndcg(scores: Scores, *, liked: bool) -> Doubles:
    return (scores.liked if liked else scores.everything).ndcg


@click.command()
@click.option("--data", "names", multiple=True, default=DATA, show_default=True)
@click.option("--served/--no-served", default=True, help="Train the served model as well.")
@click.option("--references/--no-references", default=True, help="Tune the references as well.")
def main(names: tuple[str, ...], *, served: bool, references: bool) -> None:
    """Print NDCG@10 of every method, and what both encoders reach of it."""
    for name in names:
        found = measure(load_dataset(name), served=served, references=references)
        by_name = {scores.method: scores for scores in found}
        for liked in (False, True):
            print(f"{name}, {'liked' if liked else 'all'} hidden ratings")
            for method, scores in by_name.items():
                line = f"  {method:<30} {_ndcg(scores, liked=liked).mean():.4f}"
                for encoder in (LINEAR, NEURAL):
                    ours, theirs = (_ndcg(s, liked=liked) for s in (by_name[encoder], scores))
                    ratio = ratio_interval(ours, theirs)
                    line += f"   {encoder} {ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
                print(line, flush=True)


if __name__ == "__main__":
    main()
