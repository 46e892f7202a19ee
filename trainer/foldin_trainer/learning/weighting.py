"""What a rating asks of the ranking head, by where it lies on the scale.

The rule itself is `foldin_model.heads.RatingRule`; this module only chooses it.
"""

from foldin_model.heads import RatingRule, Scale


def rule_for(scale: Scale) -> RatingRule:
    """A rule for ratings of that scale: 0 at its minimum, the full 1 from its middle up.

    A rating at the minimum so contributes only by pushing down what is predicted for it.
    """
    middle = scale.low + 0.55 * (scale.high - scale.low)
    return RatingRule((scale.low, middle, scale.high), (1.0, 1.0, 1.0), (0.0, 1.0, 1.0))
