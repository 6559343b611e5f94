"""How much past a training needs; apart from the training, which imports slow libraries."""

CHOOSE, JUDGE = 0.16, 0.2
"""Shares of the steps that choose among candidates and that are judged; the judged ones are the last."""
LAGS = (1, 2, 3, 5, 8, 11, 17, 23)
"""Steps before the origin that a model sees one by one."""


def least_steps(longest: int, slots: int) -> int:
    """Fewest steps of the part that candidates are fitted on."""
    return 2 * max(longest + max(LAGS) + 1, slots)


def steps_needed(longest: int, slots: int) -> int:
    """Fewest steps in all, by the usual shares."""
    fitting = least_steps(longest, slots) / (1 - CHOOSE - JUDGE)
    others = (longest + 1) / min(CHOOSE, JUDGE)
    return int(max(fitting, others)) + 2
