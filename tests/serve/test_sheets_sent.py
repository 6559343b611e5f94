"""The sheets of docs/new-city.md sent to the running program: explained, applied, refused, and who may."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.models import AuditRow
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.serve.app import create_app
from cityloop.serve.house import House
from cityloop.serve.importing.areas import read_area_sheet
from cityloop.serve.importing.departments import read_departments
from cityloop.serve.importing.kinds import KINDS
from cityloop.serve.importing.sent import Sent
from tests.serve.office import furnish, write_sheet

POSTS = ("administrator", "security_administrator", "steward", "shift_leader", "collector")
Answer = dict[str, Any]


@dataclass
class Office:
    """A running county with its areas and departments; each post has one account."""

    folder: Path
    house: House
    app: FastAPI

    def __post_init__(self) -> None:
        self.tokens = {}
        for post in POSTS:
            name = Title(zh=post, en=post)
            self.house.accounts.put(Actor(id=post, name=name, kind="person", posts=(post,)))
            self.tokens[post] = self.house.accounts.open_session(post)

    def asks(self, post: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens[post]}"}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
                return await client.request(method, f"/api/v1/sheets{path}", **more)

        return asyncio.run(ask())

    def sends(self, post: str, kind: str, act: str, file: Path, **form: str) -> tuple[int, Answer]:
        sent = self.asks(post, "POST", f"/{kind}/{act}", files={"file": (file.name, file.read_bytes())}, data=form)
        return sent.status_code, sent.json()

    def applies(self, post: str, kind: str, file: Path) -> Answer:
        """Explained, then applied."""
        _, read = self.sends(post, kind, "plan", file)
        status, done = self.sends(post, kind, "apply", file, mark=read["mark"])
        assert status == 200, done
        return done

    def audited(self) -> list[tuple[str, str, Answer]]:
        with self.house.database.reading() as session:
            rows = session.scalars(select(AuditRow).where(AuditRow.act == "sheet.apply").order_by(AuditRow.seq))
            return [(row.actor, row.object, row.detail) for row in rows]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    furnish(folder)
    city = folder / "cities" / "lushan"
    shutil.copy(folder / "cities" / "demo" / "policy.yaml", city)
    read_area_sheet(city, Sent.at(folder / "areas.xlsx")).write("areas.xlsx")
    read_departments(city, Sent.at(folder / "departments.xlsx")).write("departments.xlsx")
    duties = "version: '1'\nrows:\n  - {id: all, title: 全部, department: roads}\n"
    (city / "responsibility.yaml").write_text(duties, encoding="utf-8")
    house = House(Settings(city=city, data=folder / "data"))
    yield Office(folder, house, create_app(house.services))
    house.stop()


def test_every_kind_can_be_filled_in_and_says_who_may_send_it(office: Office) -> None:
    kinds = {one["kind"]: one for one in office.asks("steward", "GET", "").json()}
    assert list(kinds) == list(KINDS)
    assert [name for name, one in kinds.items() if one["may"]] == ["components", "addresses"]
    assert (kinds["areas"]["effect"], kinds["limits"]["effect"], kinds["areas"]["datum"]) == (
        "restart",
        "versions",
        True,
    )
    for name, kind in KINDS.items():
        book = load_workbook(io.BytesIO(office.asks("collector", "GET", f"/{name}/template").content))
        assert [cell.value for cell in book.worksheets[0][1]] == [column.title.zh for column in kind.columns]
    assert office.asks("collector", "GET", "/ships/template").json()["said"]["zh"].startswith("没有“ships”这种表")


def test_addresses_are_found_as_soon_as_they_are_applied(office: Office) -> None:
    file = office.folder / "addresses.xlsx"
    status, read = office.sends("steward", "addresses", "plan", file)
    assert status == 200 and read["new"] == read["plan"]["rows"] > 0 and read["plan"]["faults"] == []
    assert office.house.city.find_addresses(read["plan"]["first"][0]["key"], None, 1) == []
    done = office.applies("steward", "addresses", file)
    assert (done["effect"], done["files"], done["new"]) == ("now", ["addresses.csv"], read["new"])
    [found] = office.house.city.find_addresses(read["plan"]["first"][0]["key"], None, 1)
    assert found.area is not None
    _, again = office.sends("steward", "addresses", "plan", file)
    assert (again["new"], again["changed"], again["plan"]["same"]) == (0, 0, read["new"])


def test_a_department_is_written_and_holds_after_a_restart(office: Office) -> None:
    file = write_sheet(office.folder / "more.xlsx", [["编号", "名称"], ["water", "水务所"]])
    done = office.applies("administrator", "departments", file)
    assert (done["effect"], done["files"]) == ("restart", ["departments.yaml"])
    assert "water" not in office.house.city.departments
    assert "water" in City.load(office.house.city.folder, SystemClock()).departments
    kinds = {one["kind"]: one["waits"] for one in office.asks("administrator", "GET", "").json()}
    assert kinds["departments"] and not kinds["areas"]


def test_new_people_get_a_password_once_and_nobody_changes_himself(office: Office) -> None:
    rows = [["账号", "姓名", "岗位"], ["wang9", "王", "受理员"], ["security_administrator", "我", "值班长"]]
    file = write_sheet(office.folder / "staff-sent.xlsx", rows)
    status, read = office.sends("security_administrator", "accounts", "plan", file)
    [fault] = read["plan"]["faults"]
    assert status == 200 and fault["where"].endswith("A3") and "您自己" in fault["said"]["zh"]
    status, refused = office.sends("security_administrator", "accounts", "apply", file, mark=read["mark"])
    assert status == 422 and refused["faults"] == [fault] and "什么都没有写入" in refused["said"]["zh"]
    done = office.applies("security_administrator", "accounts", write_sheet(file, rows[:2]))
    assert list(done["passwords"]) == ["wang9"] and office.house.accounts.get("wang9").posts == ("acceptor",)


def test_components_go_through_the_running_collector(office: Office) -> None:
    done = office.applies("steward", "components", office.folder / "components.xlsx")
    assert done["pushed"]["accepted"] == done["new"] > 0 and done["pushed"]["quarantined"] == 0
    _, again = office.sends("steward", "components", "plan", office.folder / "components.xlsx")
    assert again["plan"]["same"] == done["new"]


def test_duties_come_back_as_the_whole_table_which_its_own_page_applies(office: Office) -> None:
    file = office.folder / "responsibility.xlsx"
    status, read = office.sends("shift_leader", "responsibility", "plan", file)
    assert status == 200 and len(read["table"]["rows"]) == read["plan"]["rows"]
    status, refused = office.sends("shift_leader", "responsibility", "apply", file, mark=read["mark"])
    assert status == 422 and refused["said"]["en"].endswith("versions of their own")


@pytest.mark.parametrize(
    ("other", "status", "code"),
    [
        ({"post": "collector"}, 403, "access-denied"),
        ({"kind": "ships"}, 404, "not-found"),
        ({"mark": "0" * 64}, 409, "conflict"),
        ({"datum": "mars"}, 422, "invalid"),
    ],
)
def test_what_is_not_allowed_or_no_longer_the_same_is_refused(
    office: Office, other: dict[str, str], status: int, code: str
) -> None:
    sent = {"post": "administrator", "kind": "areas", "mark": "another", "datum": "wgs84", **other}
    form = {"mark": sent["mark"], "datum": sent["datum"]}
    got, refused = office.sends(sent["post"], sent["kind"], "apply", office.folder / "areas.xlsx", **form)
    assert (got, refused["code"]) == (status, code)


def test_files_that_would_not_open_are_put_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = office.house.city.folder / "policy.yaml"
    kept, before = policy.read_text(encoding="utf-8"), (policy.parent / "departments.yaml").read_bytes()
    policy.write_text("posts: 1\n", encoding="utf-8")
    file = write_sheet(office.folder / "fire.xlsx", [["编号", "名称"], ["fire", "消防所"]])
    _, read = office.sends("administrator", "departments", "plan", file)
    status, refused = office.sends("administrator", "departments", "apply", file, mark=read["mark"])
    policy.write_text(kept, encoding="utf-8")
    assert status == 409 and "policy.yaml" in refused["faults"][0]["where"]
    assert (policy.parent / "departments.yaml").read_bytes() == before


def test_the_chain_of_records_names_who_sent_which_file(office: Office) -> None:
    lines = office.audited()
    assert ("administrator", "departments") in [(actor, kind) for actor, kind, _ in lines]
    for _, _, detail in lines:
        assert len(detail["sha256"]) == 64 and detail["file"].endswith(".xlsx")
