"""How many questions of the golden set are answered exactly right, asked back, refused, or wrong.

``uv run python -m tests.ask.report`` prints both parts; ``--faults seen`` lists what is not right in the seen one.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Literal

from tests.ask.golden_set import Golden, Verdict, golden, judge
from tests.ask.parts import ask

PARTS: tuple[Literal["seen", "unseen"], ...] = ("seen", "unseen")


def verdicts(part: Literal["seen", "unseen"]) -> list[tuple[Golden, Verdict]]:
    """Every question of a part with its verdict."""
    return [(item, judge(item, ask(item.question, item.after))) for item in golden(part)]


def table() -> str:
    """The figures of both parts."""
    lines = [
        f"{'part':8}{'questions':>10}{'right':>8}{'asked back':>12}{'refused':>9}{'wrong':>7}"
        f"{'right %':>9}{'wrong %':>9}"
    ]
    for part in PARTS:
        counts = Counter(verdict for _, verdict in verdicts(part))
        total = sum(counts.values())
        cells = f"{counts['right']:>8}{counts['asked back']:>12}{counts['refused']:>9}{counts['wrong']:>7}"
        shares = f"{100 * counts['right'] / total:>9.1f}{100 * counts['wrong'] / total:>9.1f}"
        lines.append(f"{part:8}{total:>10}{cells}{shares}")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:] == ["--faults", "seen"]:
        for item, verdict in verdicts("seen"):
            if verdict != "right":
                found = ask(item.question, item.after)
                sys.stdout.write(f"{verdict}: {item.where} {item.question}\n    {found}\n")
    else:
        sys.stdout.write(table() + "\n")
