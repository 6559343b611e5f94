"""Orders and devices that wait for a person are told to whoever a city's notices name, without anybody's reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.outbox import Event
from cityloop.serve.notices.content import Notice
from cityloop.serve.notices.wording import Wording

DEMO = Path(__file__).parents[2] / "cities" / "demo"
SIGN = {"zh": "可变信息标志 V3", "en": "Message sign V3"}
COMMAND = {"id": "cmd_1", "department": "water", "entity_title": SIGN, "title": {"zh": "发布文字", "en": "Show a text"}}
CONTACT = {"id": "con_1", "department": "water", "entity_title": SIGN}


def event(step: str, **data: Any) -> Event:
    return Event(1, "evt_1", f"cityloop.command.{step}", "cmd_1", SystemClock().now(), data)


@pytest.mark.parametrize(
    ("step", "departments", "wanted"),
    [("unknown", (), True), ("unknown", ("water",), True), ("unknown", ("police",), False), ("done", (), False)],
)
def test_a_notice_tells_its_departments_of_the_steps_it_names(step: str, departments: Any, wanted: bool) -> None:
    notice = Notice.model_validate(
        {"id": "duty", "title": "Duty", "mail": ["a@b.example"], "commands": ["unknown"], "departments": departments}
    )
    assert notice.wants(event(step, command=COMMAND)) is wanted


def test_the_words_name_device_and_command() -> None:
    wording = Wording(City.load(DEMO, SystemClock()), exercise=True)
    assert (
        wording.of(event("unknown", command=COMMAND), "zh").title == "【演练】指令结果不明：可变信息标志 V3，发布文字"
    )
    lost = wording.of(event("contact_lost", contact=CONTACT), "en")
    assert lost.title == "[Exercise] Device out of contact: Message sign V3" and "con_1" in lost.body
