"""What a limit text says, and which texts need a person."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.city.grammar import Limit, NeedsHuman, Stage, parse_limit
from cityloop.city.profile import Profile, parse_profile
from cityloop.core.errors import Invalid

EXAMPLES = Path(__file__).parents[2] / "packs" / "urban" / "limits_example.csv"
MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
SEASONS = {"种植季节": ("03-01..04-30",), "汛期": ("04-15..10-15",)}


def only_stage(text: str, profile: str = "work_default") -> Stage:
    limit = parse_limit(text, profile, SEASONS)
    assert isinstance(limit, Limit), limit
    (stage,) = limit.stages
    return stage


@pytest.mark.parametrize(
    ("text", "measure", "amount"),
    [
        ("15分钟", "continuous", 15 * MINUTE),
        ("2紧急工作时", "continuous", 2 * HOUR),
        ("1紧急工作日", "continuous", 24 * HOUR),
        ("3自然日", "continuous", 72 * HOUR),
        ("4工作时", "office", 4 * HOUR),
        ("4工作小时", "office", 4 * HOUR),
        ("4个工作时", "office", 4 * HOUR),
        ("1.5工作时", "office", 90 * MINUTE),
        ("２工作日", "office", 16 * HOUR),
        (" 5 天 ", "office", 40 * HOUR),
        ("２４小时", "office", 24 * HOUR),
        ("两小时", "office", 2 * HOUR),
        ("十五天", "office", 120 * HOUR),
        ("二十天", "office", 160 * HOUR),
        ("一百二十分钟", "continuous", 120 * MINUTE),
        ("半天", "office", 4 * HOUR),
        ("半个工作日", "office", 4 * HOUR),
        ("一个半小时", "office", 90 * MINUTE),
        ("1天半", "office", 12 * HOUR),
        ("2小时内", "office", 2 * HOUR),
        ("不超过3天", "office", 24 * HOUR),
        ("1日。", "office", 8 * HOUR),
    ],
)
def test_a_plain_text_has_one_stage(text: str, measure: str, amount: int) -> None:
    stage = only_stage(text)
    assert (stage.measure, stage.amount, stage.label) == (measure, amount, "")


@pytest.mark.parametrize(
    ("profile", "text", "measure", "amount"),
    [
        ("natural_default", "4小时", "continuous", 4 * HOUR),
        ("natural_default", "2天", "continuous", 48 * HOUR),
        ("natural_default", "2工作日", "office", 16 * HOUR),
        ("work_default/day=close", "2工作日", "closes", 2),
        ("work_default/day=close", "0.5工作日", "closes", 1),
        ("work_default/day=close", "4工作时", "office", 4 * HOUR),
        ("work_default/day=office", "1.5工作日", "office_days", 1_500_000),
    ],
)
def test_the_profile_decides_what_a_city_means(profile: str, text: str, measure: str, amount: int) -> None:
    stage = only_stage(text, profile)
    assert (stage.measure, stage.amount) == (measure, amount)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("1紧急工作时制止", ["制止"]),
        ("停工:4个工作时", ["停工"]),
        ("停工：4个工作时", ["停工"]),
        ("1、停工:4个工作时 2、处罚:7个工作日 3、拆除:20个工作日", ["停工", "处罚", "拆除"]),
        ("①止水1紧急工作时②路面修复5天", ["止水", "路面修复"]),
        ("(1)围护3紧急工作时(2)修复8紧急工作时", ["围护", "修复"]),
        ("一、围护3紧急工作时；二、修复8紧急工作时", ["围护", "修复"]),
        ("围护2小时→修复1天", ["围护", "修复"]),
        ("围护2小时、修复1天", ["围护", "修复"]),
        ("围护2小时\n修复1天", ["围护", "修复"]),
        ("2小时\n制止", ["制止"]),
        ("2小时;1天", ["1", "2"]),
        ("修复2小时;修复1天", ["修复", "修复2"]),
    ],
)
def test_a_word_at_the_figure_names_the_stage(text: str, labels: list[str]) -> None:
    limit = parse_limit(text, "work_default")
    assert isinstance(limit, Limit)
    assert [stage.label for stage in limit.stages] == labels


def test_a_known_season_binds_the_limit() -> None:
    limit = parse_limit("种植季节15工作日", "work_default", SEASONS)
    assert isinstance(limit, Limit)
    assert limit.season is not None
    assert (limit.season.word, limit.season.windows) == ("种植季节", ("03-01..04-30",))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("及时", "no figure"),
        ("立即", "no figure"),
        ("按法定程序实施", "no figure"),
        ("立即制止;2小时内恢复", "no figure"),
        ("5-7工作日", "range"),
        ("5~7天", "range"),
        ("3至5天", "range"),
        ("三到五天", "range"),
        ("5天-7天", "more than one figure"),
        ("1天2小时", "more than one figure"),
        ("2小时(含1小时取证)", "more than one figure"),
        ("3、5天", "numbering"),
        ("1、停工:4工作时 3、拆除:20工作日", "numbering"),
        ("0小时", "above zero"),
        ("3次", "no figure"),
        ("1个月", "no figure"),
        ("供暖季2小时", "not defined"),
    ],
)
def test_an_unclear_text_needs_a_person_and_says_why(text: str, reason: str) -> None:
    answer = parse_limit(text, "work_default", SEASONS)
    assert isinstance(answer, NeedsHuman), answer
    assert answer.text == text
    assert reason in answer.reason.en
    assert answer.reason.zh


def test_every_published_example_is_read_or_listed_for_a_person() -> None:
    with EXAMPLES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 519
    texts = [(n, row[c]) for n, row in enumerate(rows) for c in ("limit_text", "limit_text_other_edition") if row[c]]
    unread = [(n, text) for n, text in texts if isinstance(parse_limit(text, "work_default", SEASONS), NeedsHuman)]
    assert unread == []


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_left_to_a_person(text: str) -> None:
    answer = parse_limit(text, "work_default", SEASONS)
    assert answer.text == text
    if isinstance(answer, Limit):
        assert all(stage.amount > 0 for stage in answer.stages)


def test_a_profile_reads_all_its_parts() -> None:
    text = "natural_default/day=close/stages=chained/season=suspend/late=last/cutoff=15:00"
    expected = {"plain": "natural", "day": "close", "stages": "chained", "season": "suspend", "late": "last"}
    assert parse_profile(text) == Profile.model_validate({**expected, "cutoff": "15:00"})
    assert parse_profile(text).cutoff_seconds == 15 * 3600
    assert parse_profile("") == Profile()


@pytest.mark.parametrize("text", ["day=9h", "work", "cutoff=25:00", "late=never"])
def test_a_wrong_profile_says_what_it_may_be(text: str) -> None:
    with pytest.raises(Invalid, match="day=8h"):
        parse_profile(text)
