"""The serving kinds: the named ways in which a head turns a user's ratings into a vector.

A head that trains names one of them. All kinds score an item by offset + vectors[i]·z and explain
a score by what each rating contributes to z. They differ in how z follows from the history H:

    quadratic      A(H) z = o + g(H)         solved (iALS, mf)
    encoder        z = o + e(H)              a sum; nothing is solved (EASE, linear encoders)
    encoder_prior  A(H) z = o + e(H) + g(H)  solved around the encoder's mean (bayes)

`foldin_model.fold_in.head` defines o, A and g, `foldin_model.fold_in.linear_encoder` defines e.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ServingKind:
    """One kind: whether a linear encoder adds to a user's vector, and whether a system is solved.

    Folding, explaining and cost estimates depend on these two and on nothing else.
    """

    name: str
    encodes: bool
    solves: bool


QUADRATIC: Final = ServingKind("quadratic", encodes=False, solves=True)
ENCODER: Final = ServingKind("encoder", encodes=True, solves=False)
ENCODER_PRIOR: Final = ServingKind("encoder_prior", encodes=True, solves=True)
SERVING_KINDS: Final[Mapping[str, ServingKind]] = {
    kind.name: kind for kind in (QUADRATIC, ENCODER, ENCODER_PRIOR)
}


def kind_of(*, encodes: bool, solves: bool) -> ServingKind:
    """Returns the kind of a head by its parts, which is how a stored model says it.

    Raises ValueError for a head with neither part: no rating would move its vectors.
    """
    for kind in SERVING_KINDS.values():
        if (kind.encodes, kind.solves) == (encodes, solves):
            return kind
    raise ValueError("a head with neither an encoder nor a weight above 0 has no serving kind")
