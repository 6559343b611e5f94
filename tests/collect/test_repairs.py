"""Bad records are work: corrected, discarded, or tried again through the present mapping, into the lake once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import select, text

from cityloop.access.actor import Actor
from cityloop.access.models import AuditRow
from cityloop.collect.models import QuarantineRow
from cityloop.collect.quarantine_routes import router as quarantine_router
from cityloop.collect.quarantine_schemas import CorrectionOrder, QuarantineDetail, ReplayOrder, ReplayView, Selection
from cityloop.collect.service import Collector
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.core.web import Paging
from tests.collect.small_town import MACHINE, NOON, PACKS, STEWARD, Town, TownMaker, air
from tests.wire import app_as

ROOT = Path(__file__).parents[2]
FIRST = Paging(page=1, size=50, sort="")
AIR = "AirQualityStation"
ENVIRONMENT = Actor(id="huan", name=Title(zh="环", en="Huan"), posts=("department",), department="environment")
SANITATION = Actor(id="zhao", name=Title(zh="赵", en="Zhao"), posts=("department",), department="sanitation")


@pytest.fixture
def town(make_town: TownMaker) -> Town:
    """A town whose replays go step by step, in the test's own thread."""
    return make_town(started=False)


def bad(town: Town, *records: dict[str, Any], feed: str = "air-hourly") -> list[str]:
    """Push records that are refused; their ids in quarantine."""
    receipt = town.push(list(records), feed)
    assert receipt.accepted == 0
    return [rejection.quarantine for rejection in receipt.rejections]


def negative(hour: int = 11) -> dict[str, Any]:
    return air(time=f"2026-03-09T{hour:02}:00:00+08:00", values={"PM2.5": -4})


def detail(town: Town, identity: str) -> QuarantineDetail:
    return town.collector.quarantine_detail(STEWARD, identity)


def correct(town: Town, identity: str, fields: dict[str, Any], replay: bool = False) -> QuarantineDetail:
    return town.collector.repairs.correct(STEWARD, identity, CorrectionOrder(fields=fields, why="sign", replay=replay))


def replayed(town: Town, **order: Any) -> ReplayView:
    repairs = town.collector.repairs
    begun = repairs.replay(STEWARD, ReplayOrder(**order))
    repairs.finish(begun.id)
    return repairs.replay_of(STEWARD, begun.id)


def stored(town: Town) -> list[tuple[str, float]]:
    rows = town.lake.query(f'SELECT record, pm2_5 FROM "{AIR}" ORDER BY observed_at', [AIR]).to_pylist()
    return [(row["record"], row["pm2_5"]) for row in rows]


def test_a_corrected_record_reaches_the_lake_under_its_own_id_and_keeps_what_was_sent(town: Town) -> None:
    (identity,) = bad(town, negative())
    kept = correct(town, identity, {"PM2.5": 4})
    assert (kept.state, kept.record, kept.raw) == ("corrected", None, json.dumps(negative()))
    assert kept.sent is not None
    assert (kept.sent["PM2.5"], kept.present["PM2.5"]) == (-4, 4)
    assert stored(town) == []

    outcome = replayed(town, ids=(identity,))

    assert (outcome.state, outcome.total, outcome.settled, outcome.failed) == ("done", 1, 1, 0)
    settled = detail(town, identity)
    assert (settled.state, settled.record) == ("settled", f"{settled.batch}:0")
    assert stored(town) == [(settled.record, 4.0)]
    assert town.collector.record(STEWARD, str(settled.record))["pm2_5"] == 4.0
    assert [(act.act, act.by, act.why) for act in settled.history] == [
        ("corrected", "li", "sign"),
        ("settled", "li", None),
    ]


def test_one_that_fails_again_keeps_its_history_and_tells_the_latest_reasons(town: Town) -> None:
    (identity,) = bad(town, negative())
    again = correct(town, identity, {"PM2.5": "much"}, replay=True)
    assert (again.state, again.rules) == ("corrected", ["number"])
    assert [(act.act, [reason.rule for reason in act.reasons]) for act in again.history] == [
        ("corrected", []),
        ("refused", ["range"]),
        ("failed", ["number"]),
    ]
    good = correct(town, identity, {"PM2.5": 5}, replay=True)
    assert (good.state, good.history[-1].record) == ("settled", good.record)
    assert len(good.history) == 5


def test_text_that_is_no_record_is_corrected_by_giving_the_whole_record(town: Town) -> None:
    receipt = town.collector.push(MACHINE, "air-hourly", b'{"station": "1001A", "ti', "application/x-ndjson")
    identity = receipt.rejections[0].quarantine
    assert detail(town, identity).sent is None
    fields = {"station": "1001A", "time": "2026-03-09T11:00:00+08:00", "PM2.5": 9}
    assert correct(town, identity, fields, replay=True).state == "settled"


def test_a_correction_names_only_fields_that_the_feed_reads(town: Town) -> None:
    (identity,) = bad(town, negative())
    with pytest.raises(Invalid) as refusal:
        correct(town, identity, {"PM25": 4})
    assert "PM2.5" in refusal.value.faults[0].mend


def test_a_discarded_record_is_kept_with_the_reason_and_not_tried_again(town: Town) -> None:
    (identity,) = bad(town, negative())
    given_up = town.collector.repairs.discard(STEWARD, identity, "vendor test")
    assert (given_up.state, given_up.history[-1].why) == ("discarded", "vendor test")
    with pytest.raises(Conflict, match="no open record"):
        replayed(town, ids=(identity,))
    with pytest.raises(Conflict, match="is discarded"):
        correct(town, identity, {"PM2.5": 4})


def test_a_settled_record_cannot_be_changed(town: Town) -> None:
    (identity,) = bad(town, negative())
    correct(town, identity, {"PM2.5": 4}, replay=True)
    with pytest.raises(Conflict, match="is settled"):
        town.collector.repairs.discard(STEWARD, identity, "late")


def test_a_repaired_mapping_lets_a_whole_feed_through_at_once(make_town: TownMaker, tmp_path: Path) -> None:
    strict = _pack(tmp_path / "air", {"PM2.5": "ug/m3"})
    town = make_town(packs=[strict, *PACKS[1:]], started=False)
    bad(town, *[{"station": "1001A", "time": f"2026-03-09T{h:02}:00:00+08:00", "pm25": h} for h in range(5)])
    bad(town, {"bin": "none", "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80}, feed="bin-emptying")
    _pack(strict, {"pm25": "ug/m3"})
    town.restart()

    outcome = replayed(town, feed="air-hourly")

    assert (outcome.total, outcome.settled, outcome.failed) == (5, 5, 0)
    assert [value for _, value in stored(town)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    states = {item.feed: item.state for item in town.collector.quarantine(STEWARD, FIRST, None).items}
    assert states == {"air-hourly": "settled", "bin-emptying": "open"}


def _pack(folder: Path, pm2_5: dict[str, str]) -> Path:
    """The air pack with another field for PM2.5."""
    folder.mkdir(exist_ok=True)
    source = PACKS[0]
    for name in ("pack.yaml", "standard.yaml"):
        (folder / name).write_bytes((source / name).read_bytes())
    feeds = yaml.safe_load((source / "feeds.yaml").read_text(encoding="utf-8"))
    ((name, unit),) = pm2_5.items()
    feeds["feeds"][0]["properties"] = {"pm2_5": {"field": name, "unit": unit}}
    (folder / "feeds.yaml").write_text(yaml.safe_dump(feeds, allow_unicode=True), encoding="utf-8")
    return folder


def test_a_record_whose_observation_is_stored_already_is_settled_with_the_link_to_the_other(town: Town) -> None:
    (identity,) = bad(town, negative())
    other = town.push([air(values={"PM2.5": 7})])
    correct(town, identity, {"PM2.5": 4})
    outcome = replayed(town, feed="air-hourly")
    assert (outcome.settled, outcome.duplicate) == (1, 1)
    assert detail(town, identity).record == f"{other.batch}:0"
    assert stored(town) == [(f"{other.batch}:0", 7.0)]


def test_two_corrections_of_one_observation_are_stored_once(town: Town) -> None:
    first, second = bad(town, negative(), negative())
    for identity in (first, second):
        correct(town, identity, {"PM2.5": 4})
    outcome = replayed(town, ids=(first, second))
    assert (outcome.settled, outcome.duplicate, len(stored(town))) == (2, 1, 1)
    assert {detail(town, identity).record for identity in (first, second)} == {stored(town)[0][0]}


def test_a_replay_that_was_cut_short_behind_the_commit_of_the_lake_doubles_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = bad(town, *[negative(hour) for hour in range(6)])
    for identity in identities:
        correct(town, identity, {"PM2.5": 4})
    repairs = town.collector.repairs
    begun = repairs.replay(STEWARD, ReplayOrder(feed="air-hourly"))
    monkeypatch.setattr(repairs, "_settle", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        repairs.step(begun.id)
    assert len(stored(town)) == 6
    town.restart()
    # Corrected meanwhile in another way, the records are the same all the same.
    town.collector.repairs.finish(begun.id)
    assert len(stored(town)) == 6
    outcome = town.collector.repairs.replay_of(STEWARD, begun.id)
    assert (outcome.state, outcome.settled, outcome.duplicate) == ("done", 6, 0)


def test_a_replay_shows_its_progress_and_can_be_stopped(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cityloop.collect.repairs.CHUNK", 4)
    bad(town, *[negative(hour) for hour in range(10)])
    repairs = town.collector.repairs
    begun = repairs.replay(STEWARD, ReplayOrder(feed="air-hourly"))
    with pytest.raises(Conflict, match="no open record"):
        repairs.replay(STEWARD, ReplayOrder(feed="air-hourly"))
    held = town.collector.quarantine(STEWARD, FIRST, None).items[0]
    with pytest.raises(Conflict, match="is held by replay"):
        correct(town, held.id, {"PM2.5": 4})
    repairs.step(begun.id)
    assert (repairs.replay_of(STEWARD, begun.id).done, repairs.replay_of(STEWARD, begun.id).failed) == (4, 4)
    stopped = repairs.stop_replay(STEWARD, begun.id)
    assert (stopped.state, stopped.done, stopped.total) == ("stopped", 4, 10)
    assert not repairs.step()
    assert all(item.replay is None for item in town.collector.quarantine(STEWARD, FIRST, None).items)
    assert [item.id for item in repairs.replays(STEWARD)] == [begun.id]
    assert [event.type for event in town.outbox.after(0)][-1] == "cityloop.quarantine.replayed"


def test_a_feed_that_is_gone_is_said_so(make_town: TownMaker) -> None:
    town = make_town(started=False)
    bad(town, {"bin": "none", "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80}, feed="bin-emptying")
    town.packs = PACKS[:2]
    (town.folder / "city" / "entities" / "WasteContainer.csv").unlink()
    town.restart()
    assert replayed(town, feed="bin-emptying").failed == 1
    assert town.collector.quarantine(STEWARD, FIRST, None).items[0].rules == ["feed"]


def test_the_running_city_replays_by_itself_and_listeners_hear_of_it(make_town: TownMaker) -> None:
    town = make_town()
    heard: list[int] = []
    town.collector.on_committed.append(lambda batch: heard.append(batch.rows.num_rows))
    (identity,) = bad(town, negative())
    assert correct(town, identity, {"PM2.5": 4}, replay=True).state == "settled"
    assert heard == [1]


def test_a_department_sees_and_touches_only_what_is_its_own(town: Town) -> None:
    (identity,) = bad(town, negative())
    with pytest.raises(AccessDenied, match=r"quarantine\.correct"):
        town.collector.repairs.discard(SANITATION, identity, "not mine")
    with pytest.raises(NotFound):
        town.collector.quarantine_detail(SANITATION, identity)
    assert town.collector.quarantine_detail(ENVIRONMENT, identity).department == "environment"
    assert town.collector.quarantine_summary(SANITATION, Selection()).total == 0


def test_quarantine_is_filtered_sorted_counted_and_exported(town: Town) -> None:
    identities = bad(town, negative(1), air(values={"PM2.5": "much"}), air("9999Z", values={"PM2.5": -4}))
    bad(town, {"bin": "none", "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80}, feed="bin-emptying")
    correct(town, detail(town, identities[0]).id, {"PM2.5": 4}, replay=True)

    def found(**wanted: Any) -> int:
        return town.collector.quarantine_page(STEWARD, FIRST, Selection(**wanted)).total

    assert (found(), found(feed="air-hourly"), found(rule="range"), found(rule="entity")) == (4, 3, 2, 2)
    assert (found(state=("settled",)), found(state=("open", "corrected")), found(text="9999Z")) == (1, 3, 1)
    assert (found(department="environment"), found(start=NOON), found(end=NOON), found(rule="ran")) == (3, 4, 0, 0)
    by_feed = town.collector.quarantine_page(STEWARD, Paging(page=1, size=1, sort="-feed"), Selection()).items
    assert by_feed[0].feed == "bin-emptying"
    with pytest.raises(Invalid, match="cannot be sorted"):
        town.collector.quarantine_page(STEWARD, Paging(page=1, size=1, sort="raw"), Selection())

    summary = town.collector.quarantine_summary(STEWARD, Selection())
    assert summary.by_state == {"open": 3, "corrected": 0, "settled": 1, "discarded": 0}
    air_feed = summary.feeds[0]
    assert (air_feed.feed, air_feed.total, air_feed.settled) == ("air-hourly", 3, 1)
    assert {item.rule: item.total for item in air_feed.rules} == {"range": 2, "entity": 1, "number": 1}

    rows = list(town.collector.quarantine_rows(STEWARD, "received_at", Selection(state=("settled",))))
    assert [(row["state"], row["correction"]) for row in rows] == [("settled", '{"PM2.5": 4}')]


def test_every_act_leaves_a_line_in_the_audit(town: Town) -> None:
    first, second = bad(town, negative(1), negative(2))
    correct(town, first, {"PM2.5": 4}, replay=True)
    town.collector.repairs.discard(STEWARD, second, "test")
    with town.database.reading() as session:
        acts = [row.act for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))]
    assert acts == ["quarantine.correct", "quarantine.replay", "quarantine.discard"]


def test_a_store_of_an_older_version_gets_the_new_columns(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'old.db'}")
    store.create()
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE quarantine"))
        connection.execute(
            text(
                "CREATE TABLE quarantine (id VARCHAR PRIMARY KEY, feed VARCHAR, department VARCHAR, batch VARCHAR, "
                "position INTEGER, received_at TIMESTAMP, raw TEXT, reasons JSON)"
            )
        )
        connection.execute(
            text("INSERT INTO quarantine VALUES ('q', 'f', 'd', 'b', 0, '2026-03-09 00:00:00', '{}', '[]')")
        )
    store.create()
    with store.reading() as session:
        row = session.get_one(QuarantineRow, "q")
    assert (row.state, row.attempts, row.rules, row.replay) == ("open", 0, "", None)
    store.close()


def test_the_whole_way_over_http(make_town: TownMaker) -> None:
    town = make_town()
    identities = bad(town, negative(1), negative(2))
    app = app_as(STEWARD, {Collector: town.collector, Settings: town.settings}, quarantine_router)

    async def run() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city/api/v1") as client:
            await _over_http(client, identities)

    asyncio.run(run())


async def _over_http(client: httpx.AsyncClient, identities: list[str]) -> None:
    first, second = identities
    listed = (
        await client.get("/quarantine", params={"feed": "air-hourly", "rule": "range", "sort": "-received_at"})
    ).json()
    assert (listed["total"], listed["items"][0]["state"]) == (2, "open")
    one = (await client.get(f"/quarantine/{first}")).json()
    assert (one["sent"]["PM2.5"], one["history"], "PM2.5" in one["fields"]) == (-4, [], True)
    body = {"fields": {"PM2.5": 4}, "why": "sign lost", "replay": True}
    settled = await client.post(f"/quarantine/{first}/correct", json=body)
    assert (settled.status_code, settled.json()["state"]) == (200, "settled")
    assert (await client.post(f"/quarantine/{first}/correct", json=body)).status_code == 409
    assert (await client.post(f"/quarantine/{second}/correct", json={"fields": {}, "why": ""})).status_code == 422
    begun = await client.post("/quarantine/replay", json={"feed": "air-hourly"})
    assert (begun.status_code, begun.json()["total"]) == (202, 1)
    assert (await client.post("/quarantine/replay", json={})).status_code == 422
    while (state := (await client.get(f"/quarantine/replays/{begun.json()['id']}")).json())["state"] == "running":
        pass
    assert (state["state"], state["failed"]) == ("done", 1)
    assert (await client.post(f"/quarantine/replays/{state['id']}/stop")).json()["state"] == "done"
    assert len((await client.get("/quarantine/replays")).json()) == 2
    assert (await client.post(f"/quarantine/{second}/discard", json={"why": "test"})).json()["state"] == "discarded"
    assert (await client.get("/quarantine/summary")).json()["by_state"]["discarded"] == 1
    export = await client.get("/quarantine/export", params={"format": "csv", "state": "settled"})
    assert (export.text.count("\n"), "sign lost" in export.text) == (2, True)
    assert (await client.get("/quarantine/nothing")).status_code == 404


@pytest.mark.parametrize("commits", [1, 3])
def test_a_replay_that_is_killed_goes_on_and_doubles_nothing(
    make_town: TownMaker, tmp_path: Path, commits: int
) -> None:
    town = make_town(started=False)
    count = 60
    times = [(NOON - timedelta(minutes=n)).isoformat() for n in range(count)]
    receipt = town.push([air(time=time, values={"PM2.5": -1}) for time in times])
    assert receipt.quarantined == count
    with town.database.transaction() as tx:
        for row in tx.session.scalars(select(QuarantineRow)):
            kept = {"fields": {"PM2.5": 1}, "by": "li", "at": NOON.isoformat(), "why": "sign"}
            row.correction, row.state = kept, "corrected"
    town.close()
    command = [sys.executable, "-m", "tests.collect.repairing_process", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in range(commits):
            process.stdout.readline()
        process.kill()
    town.open()
    while town.collector.repairs.step():
        pass
    (outcome,) = town.collector.repairs.replays(STEWARD)
    assert (outcome.state, outcome.settled, outcome.done) == ("done", count, count)
    found = town.lake.query(f'SELECT count(*) AS n, count(DISTINCT observed_at) AS d FROM "{AIR}"', [AIR])
    assert found.to_pylist() == [{"n": count, "d": count}]
