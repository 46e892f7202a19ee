"""What decides, with the ratings, which model a training makes."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal, Self

from foldin_model.trained.manifest import Setting

from foldin_trainer.learning.devices import DeviceName
from foldin_trainer.learning.head_choice import RankingHead, RankingSettings
from foldin_trainer.learning.ranking_heads.ease.training import EaseSettings
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.ials.training import IalsSettings
from foldin_trainer.learning.ranking_heads.plans import (
    BLENDED,
    EasePlan,
    EncoderPlan,
    EnsemblePlan,
    EnsembleSettings,
    Plan,
    named,
)
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.mf import MfSettings

RatingHead = Literal["mf", "bayes"]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Everything that decides, with the ratings, which model comes out."""

    rating_head: RatingHead = "mf"
    ranking_head: RankingHead = "ease"
    mf: MfSettings = field(default_factory=MfSettings)
    bayes: BayesSettings = field(default_factory=BayesSettings)
    ials: IalsSettings = field(default_factory=IalsSettings)
    ease: EaseSettings = field(default_factory=EaseSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    ensemble: EnsembleSettings = field(default_factory=EnsembleSettings)
    time_budget_s: float | None = None
    """For trying ranking heads and their tunings; unset, all are tried."""
    validation_share: float = 0.1
    """Ratings of the first training that decide after how many passes `mf` stops."""
    seed: int = 0
    """Of the splits and the clusters; the heads have their own."""

    @classmethod
    def of(
        cls, *, dimension: int | None = None, device: DeviceName = "auto", seed: int = 0
    ) -> Self:
        """The defaults with one seed, device and dimension everywhere."""
        mf, ials = MfSettings(device=device, seed=seed), IalsSettings(device=device, seed=seed)
        bayes = BayesSettings(device=device, seed=seed)
        ease, encoder = EaseSettings(seed=seed), EncoderSettings(seed=seed)
        ensemble = EnsembleSettings(seed=seed)
        if dimension is not None:
            mf, ials = replace(mf, dimension=dimension), replace(ials, dimension=dimension)
            bayes, ease = replace(bayes, dimension=dimension), replace(ease, dimension=dimension)
            encoder = replace(encoder, dimension=dimension)
            ensemble = replace(ensemble, dimension=dimension)
        return cls(
            mf=mf,
            bayes=bayes,
            ials=ials,
            ease=ease,
            encoder=encoder,
            ensemble=ensemble,
            seed=seed,
        )

    @property
    def method(self) -> str:
        """The two heads by name, as a manifest keeps them."""
        return f"{self.rating_head}+{self.ranking_head}"

    @property
    def ranking(self) -> RankingSettings:
        """What is asked of the ranking head."""
        return RankingSettings(
            *(self.ranking_head, self.ials, self.ease, self.encoder, self.ensemble),
            self.time_budget_s,
        )

    def flat(self) -> dict[str, Setting]:
        """Every setting under one name, as a manifest keeps them."""
        flat: dict[str, Setting] = {"validation_share": self.validation_share, "seed": self.seed}
        rating = self.mf if self.rating_head == "mf" else self.bayes
        ranking: dict[str, dict[str, Setting]] = {
            "auto": {},
            "ials": asdict(self.ials),
            "ease": asdict(self.ease),
            "encoder": asdict(self.encoder),
            "ensemble": asdict(self.ensemble),
        }
        flat |= named(self.rating_head, asdict(rating))
        parts = BLENDED if self.ranking_head == "ensemble" else ()
        for head in (self.ranking_head, *parts):
            flat |= named(head, ranking[head])
        return flat

    def settled(self, plan: Plan) -> Self:
        """The same with what was chosen of the ranking head."""
        match plan:
            case EasePlan(chosen):
                return replace(self, ranking_head="ease", ease=chosen)
            case EncoderPlan():
                return replace(self, ranking_head="encoder")
            case EnsemblePlan(blended):
                return replace(self, ranking_head="ensemble", ensemble=blended)
            case _:
                return replace(self, ranking_head="ials")
