"""The weight and the target of a rating in ranking heads, by its value.

The rule itself is `foldin_model.fold_in.head.RatingRule`; this module only chooses it.
"""

from foldin_model.fold_in.head import RatingRule
from foldin_model.scale import Scale


def rule_for(scale: Scale) -> RatingRule:
    """Returns the rule for ratings of that scale: target -0.3 at its minimum, 1 from its middle up.

    The target of an unrated item is 0, so that a rating at the minimum pushes the item's neighbors
    below items that nothing is known of. Of the rules tried on validation users of MovieLens this
    one found most of the items that they liked, and no fewer of those that they rated.
    """
    middle = scale.low + 0.55 * (scale.high - scale.low)
    return RatingRule((scale.low, middle, scale.high), (1.0, 1.0, 1.0), (-0.3, 1.0, 1.0))
