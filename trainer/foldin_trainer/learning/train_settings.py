"""Everything that decides, with the ratings, which model a training makes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Self

from foldin_model.trained.manifest import Setting

from foldin_trainer.learning.devices import DeviceName
from foldin_trainer.learning.heads import RANKING_HEADS, RATING_HEADS, all_heads
from foldin_trainer.learning.ranking_heads.ease.head import EASE
from foldin_trainer.learning.ranking_heads.ranking_head import RankingPlan
from foldin_trainer.learning.rating_heads.mf.head import MF
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.registration import AUTO

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Two heads by name, the settings of all heads, and what concerns the training as a whole.

    Raises FoldinError for an unknown head.
    """

    rating_head: str = MF.name
    ranking_head: str = EASE.name
    """A name, or `auto` for the head that serves held-out users best."""
    heads: HeadSettings = field(default_factory=HeadSettings)
    time_budget_s: float | None = None
    """After this time no other plan of a ranking head is tried; unset, all are."""
    validation_share: float = 0.1
    """The share of the ratings that the rating head is watched on and does not learn from."""
    seed: int = 0
    """Of the splits and the clusters; heads have seeds of their own."""

    def __post_init__(self) -> None:
        RATING_HEADS[self.rating_head]
        if self.ranking_head != AUTO:
            RANKING_HEADS[self.ranking_head]

    @classmethod
    def of(
        cls, *, dimension: int | None = None, device: DeviceName = "auto", seed: int = 0
    ) -> Self:
        """Returns the defaults with one seed, device and dimension everywhere."""
        shared: dict[str, object] = {"device": device, "seed": seed}
        if dimension is not None:
            shared["dimension"] = dimension
        given = (_with(head.settings(), shared) for head in all_heads().values())
        return cls(heads=HeadSettings(tuple(given)), seed=seed)

    @property
    def method(self) -> str:
        """The two heads by name, as a manifest keeps them."""
        return f"{self.rating_head}+{self.ranking_head}"

    def with_heads(self, *settings: "DataclassInstance") -> Self:
        """Returns the same with these settings of heads."""
        return replace(self, heads=self.heads.replaced(*settings))

    def flat(self) -> dict[str, Setting]:
        """Returns every setting that matters under one name, as a manifest keeps them."""
        flat: dict[str, Setting] = {"validation_share": self.validation_share, "seed": self.seed}
        names = [self.rating_head]
        if self.ranking_head != AUTO:
            names += [self.ranking_head, *RANKING_HEADS[self.ranking_head].parts]
        heads = all_heads()
        for name in names:
            flat |= named(name, asdict(self.heads.of(heads[name].settings)))
        return flat

    def settled(self, plan: RankingPlan) -> Self:
        """Returns the same with the ranking head and the settings of the plan that was chosen.

        Raises FoldinError where the plan is of an unknown head.
        """
        return replace(self, ranking_head=plan.head, heads=self.heads.replaced(plan.settings))


def named(part: str, values: Mapping[str, Setting | tuple[Setting, ...]]) -> dict[str, Setting]:
    """Returns the values as "part.name", those of a tuple as "part.name.0" and so on."""
    flat: dict[str, Setting] = {}
    for name, value in values.items():
        if isinstance(value, tuple):
            flat |= {f"{part}.{name}.{place}": one for place, one in enumerate(value)}
        else:
            flat[f"{part}.{name}"] = value
    return flat


def _with(settings: "DataclassInstance", shared: Mapping[str, object]) -> "DataclassInstance":
    """Returns the settings with the shared values of the fields that they have."""
    known = {one.name for one in fields(settings)}
    return replace(settings, **{name: value for name, value in shared.items() if name in known})
