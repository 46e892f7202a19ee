"""Runs all chains of a sampling, takes their samples, and saves and restores the state.

`sampler.chain` makes one sweep, `statistics.posterior` keeps the samples.
"""

from collections.abc import Mapping
from dataclasses import asdict, astuple
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import torch
from foldin_model.arrays import Doubles

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.devices import choose_device
from foldin_trainer.learning.rating_heads.bayes import checkpoint as checkpoints
from foldin_trainer.learning.rating_heads.bayes.result import BayesResult, Diagnostic, Sweep
from foldin_trainer.learning.rating_heads.bayes.sampler.chain import Chain, Data, Side
from foldin_trainer.learning.rating_heads.bayes.sampler.linear_prior import LinearPrior
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features
from foldin_trainer.learning.rating_heads.bayes.statistics.diagnostics import (
    effective_sample_size,
    split_rhat,
)
from foldin_trainer.learning.rating_heads.bayes.statistics.posterior import Moments, Posterior
from foldin_trainer.learning.rating_heads.factors import RatingFactors

FOLLOWED: Final = 16  # pairs whose predictions are diagnosed


class Run:
    """All chains of one training, sweep by sweep."""

    def __init__(
        self,
        ratings: Ratings,
        users: Features,
        items: Features,
        settings: BayesSettings,
        validation: Ratings | None,
    ) -> None:
        self.ratings, self.settings, self.validation = ratings, settings, validation
        self.fingerprint = _fingerprint(ratings, users, items, settings, validation)
        self.device = choose_device(settings.device)
        self.data = Data(ratings, users, items, self.device)
        self.posterior = Posterior(
            torch.tensor(self.data.by_user.counts, dtype=torch.float64, device=self.device),
            torch.tensor(self.data.by_item.counts, dtype=torch.float64, device=self.device),
        )
        self.sweeps: list[Sweep] = []
        self.traces: list[list[float]] = []
        self.summed = np.zeros(0 if validation is None else len(validation))
        places = np.linspace(0, len(ratings) - 1, min(FOLLOWED, len(ratings))).astype(np.int64)
        self.followed = ratings.take(places)
        self.chain = self._new_chain()

    @property
    def done(self) -> bool:
        return len(self.sweeps) == self.settings.chains * self.settings.sweeps

    def sweep(self) -> Sweep:
        """Makes one sweep, and takes a sample if one is due."""
        settings = self.settings
        chain, before = divmod(len(self.sweeps), settings.sweeps)
        if chain and not before:
            self.chain = self._new_chain()
        self.chain.sweep()
        late = before + 1 - settings.burn_in
        if late > 0 and late % settings.thin == 0:
            self._take_sample()
        noise = self.chain.state.precision**-0.5
        self.sweeps.append(
            Sweep(chain + 1, settings.chains, before + 1, settings.sweeps, noise, self._rmse())
        )
        return self.sweeps[-1]

    def result(self) -> BayesResult:
        mean, spread = self.posterior.mean(self.settings.dimension), self.posterior.spread()
        factors = RatingFactors(
            mean=self.data.mean,
            user_biases=mean.user_biases,
            user_vectors=mean.user_vectors,
            item_biases=mean.item_biases,
            item_vectors=mean.item_vectors,
            epochs=tuple(sweep.epoch for sweep in self.sweeps),
            best_epoch=len(self.sweeps),
            spread=spread,
        )
        return BayesResult(
            factors=factors,
            spread=spread,
            scale=self.ratings.scale,
            samples=self.posterior.samples,
            sweeps=tuple(self.sweeps),
            diagnostics=self._diagnostics(),
        )

    def save(self, path: Path) -> None:
        """Writes everything that the next sweep depends on to the file."""
        state, posterior = self.chain.state, self.posterior
        content = {
            "fingerprint": self.fingerprint,
            "sweeps": [astuple(sweep) for sweep in self.sweeps],
            "traces": self.traces,
            "summed": torch.from_numpy(self.summed),
            "random": state.random.bit_generator.state,
            "precision": state.precision,
            "sides": [_packed(side) for side in (state.users, state.items)],
            "samples": (posterior.samples, posterior.precision),
            "moments": [
                tuple(map(torch.from_numpy, (part.biases, part.noise, part.squares)))
                for part in posterior.moments
            ],
            "factors": posterior.factors,
        }
        checkpoints.save(path, content)

    def restore(self, path: Path) -> None:
        """Continues the training of the file; starts from the beginning if there is none."""
        content = checkpoints.load(path, self.fingerprint, self.device)
        if content is None:
            return
        self.sweeps = [Sweep(*fields) for fields in content["sweeps"]]
        self.traces = content["traces"]
        self.summed = content["summed"].cpu().numpy()
        state, posterior = self.chain.state, self.posterior
        state.random.bit_generator.state = content["random"]
        state.precision = content["precision"]
        state.users, state.items = map(_unpacked, content["sides"])
        posterior.samples, posterior.precision = content["samples"]
        of_users, of_items = (
            Moments(*(part.cpu().numpy() for part in parts)) for parts in content["moments"]
        )
        posterior.moments = (of_users, of_items)
        posterior.factors = content["factors"]

    def _new_chain(self) -> Chain:
        settings = self.settings
        number = len(self.sweeps) // settings.sweeps
        return Chain.start(
            self.data, settings.factors, settings.noise_degrees, [settings.seed, number]
        )

    def _take_sample(self) -> None:
        state = self.chain.state
        self.posterior.add(
            (state.users.vectors, state.items.vectors),
            (state.users.noise, state.items.noise),
            state.precision,
        )
        if self.validation is not None:
            self.summed += self._predict(self.validation)
        ridges = np.log(np.concatenate((state.users.prior.ridges, state.items.prior.ridges)))
        predicted = self._predict(self.followed)
        self.traces.append([state.precision**-0.5, *ridges.tolist(), *predicted.tolist()])

    def _predict(self, pairs: Ratings) -> Doubles:
        """Returns the present state's predictions (n,), not clipped."""
        users = self.chain.state.users.vectors[torch.tensor(pairs.users, device=self.device)]
        items = self.chain.state.items.vectors[torch.tensor(pairs.items, device=self.device)]
        products = users[:, 0] + items[:, 0] + (users[:, 1:] * items[:, 1:]).sum(1)
        return self.data.mean + products.cpu().numpy().astype(np.float64)

    def _rmse(self) -> float | None:
        if self.validation is None or not self.posterior.samples:
            return None
        scale = self.ratings.scale
        predicted = np.clip(self.summed / self.posterior.samples, scale.low, scale.high)
        return float(np.sqrt(np.mean((predicted - self.validation.values) ** 2)))

    def _diagnostics(self) -> tuple[Diagnostic, ...]:
        names = ["noise"]
        names += [f"ridge of users' {name}" for name in self.data.users.names]
        names += [f"ridge of items' {name}" for name in self.data.items.names]
        names += [f"prediction {number}" for number in range(1, len(self.followed) + 1)]
        draws = np.array(self.traces).reshape(self.settings.chains, -1, len(names))
        found = split_rhat(draws).tolist(), effective_sample_size(draws).tolist()
        return tuple(map(Diagnostic, names, *found))


def _fingerprint(
    ratings: Ratings,
    users: Features,
    items: Features,
    settings: BayesSettings,
    validation: Ratings | None,
) -> str:
    digest = sha256(repr(asdict(settings)).encode())
    for part in (ratings, validation):
        digest.update(b"none" if part is None else part.hash.encode())
    for features in (users, items):
        digest.update(repr(features.names).encode())
        matrix = features.matrix
        for array in (features.groups, matrix.indptr, matrix.indices, matrix.data):
            digest.update(array.tobytes())
    return digest.hexdigest()


def _packed(side: Side) -> dict[str, torch.Tensor]:
    return {
        "vectors": side.vectors,
        "noise": side.noise,
        "precision": torch.from_numpy(side.prior.precision),
        "coefficients": side.prior.coefficients,
        "ridges": torch.from_numpy(side.prior.ridges),
    }


def _unpacked(content: Mapping[str, torch.Tensor]) -> Side:
    prior = LinearPrior(
        precision=content["precision"].cpu().numpy(),
        coefficients=content["coefficients"],
        ridges=content["ridges"].cpu().numpy(),
    )
    return Side(content["vectors"], content["noise"], prior)
