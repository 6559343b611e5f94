"""What the public is told of a case, in plain words, and what is taken out of free text before anybody reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from cityloop.core.values import Title

Step = Literal["received", "accepted", "handling", "checking", "done"]
Standing = Literal["received", "accepted", "handling", "paused", "checking", "done", "declined", "void", "joined"]
STEPS: tuple[tuple[Step, int], ...] = (("received", 1), ("accepted", 2), ("handling", 4), ("checking", 5))
"""Each step begins with the first entry at this stage of the workflow or beyond it."""
CLOSING_STAGE = 6
WORDS: dict[Standing, Title] = {
    "received": Title(zh="已收到，等待受理", en="Received, waiting to be accepted"),
    "accepted": Title(zh="已受理，正在安排责任部门", en="Accepted, being given to a department"),
    "handling": Title(zh="责任部门正在处理", en="The department is working on it"),
    "paused": Title(zh="暂缓处理，条件具备后继续", en="On hold until it can go on"),
    "checking": Title(zh="已处理，正在核查", en="Done, being checked"),
    "done": Title(zh="已办结", en="Closed"),
    "declined": Title(zh="未受理", en="Not taken up"),
    "void": Title(zh="已作废", en="Void"),
    "joined": Title(zh="与已有的同一问题合并处理", en="Joined with an earlier report of the same problem"),
}
STEP_WORDS: dict[Step, Title] = {
    "received": Title(zh="收到上报", en="Received"),
    "accepted": Title(zh="受理", en="Accepted"),
    "handling": Title(zh="部门处理", en="Department at work"),
    "checking": Title(zh="处理完毕，核查", en="Work done, checked"),
    "done": Title(zh="办结", en="Closed"),
}
_HIDDEN = "***"
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<!\d)\d{17}[\dXx](?!\d)"  # an identity number
    r"|(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"  # a mobile number
    r"|(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)"  # a fixed line with its area code
    r"|\+\d[\d -]{6,15}\d"  # an international number
    r"|(?<!\d)\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?!\d)",  # a North American one
)


def standing(stage: int, open: bool, paused: bool, merged: bool) -> Standing:
    """Where a case stands for somebody who knows nothing of posts and moves; from the stage, not from state names."""
    if merged:
        return "joined"
    if not open:
        return "done" if stage >= CLOSING_STAGE else "void" if stage >= 3 else "declined"
    if paused and stage >= 3:
        return "paused"
    if stage == 1:
        return "received"
    return "accepted" if stage < 4 else "handling" if stage == 4 else "checking"


def clean(text: str, known: Iterable[str | None] = ()) -> str:
    """The text without e-mail addresses, identity and phone numbers, and without the names that are ``known``."""
    for name in known:
        if name and len(name.strip()) > 1:
            text = text.replace(name.strip(), _HIDDEN)
    return _PERSONAL.sub(_HIDDEN, text)
