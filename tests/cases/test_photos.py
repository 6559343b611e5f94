"""Files of cases: what they really are, what they tell, and who sees them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cityloop.access.actor import Actor
from cityloop.cases.attachments import MOST
from cityloop.cases.photos import read_file, sniff
from cityloop.cases.schemas import AttachmentRef
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound, TooLarge, Unsupported
from tests.cases.support import (
    ACCEPTOR,
    COLLECTOR,
    LITTER,
    NOBODY,
    SANITATION,
    SWEEPER,
    TO_CLOSED,
    TO_HANDLE,
    TRANSPORT,
    Room,
    changed_workflow,
    litter,
    open_room,
)

ZONE = ZoneInfo("Asia/Shanghai")
PDF = b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"


def picture(form: str = "JPEG", size: tuple[int, int] = (640, 480), colour: str = "red", exif: bool = False) -> bytes:
    image, out, options = Image.new("RGB", size, colour), io.BytesIO(), {}
    if exif:
        told = Image.Exif()
        told[0x0112] = 6
        told.get_ifd(0x8769)[0x9003] = "2026:03:09 08:59:00"
        told.get_ifd(0x8825).update({1: "N", 2: (22.0, 32.0, 6.0), 3: "E", 4: (114.0, 3.0, 18.0)})
        options["exif"] = told
    image.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_time_and_place_become_facts_and_leave_the_stored_copy(form: str) -> None:
    content = picture(form, exif=True)
    read = read_file(f"a.{form.lower()}", content, ZONE)
    assert read.taken_at == datetime(2026, 3, 9, 0, 59, tzinfo=UTC)
    assert (read.lon, read.lat) == (114.055, 22.535)
    assert (read.width, read.height) == (480, 640), "the picture stands upright"
    with Image.open(io.BytesIO(read.content)) as clean:
        assert dict(clean.getexif()) == {} and clean.format == form
    with Image.open(io.BytesIO(read.thumb or b"")) as thumb:
        assert thumb.format == "WEBP" and max(thumb.size) == 320


def test_what_hides_behind_a_picture_is_gone_from_the_stored_copy() -> None:
    read = read_file("a.jpg", picture() + b"<script>alert(1)</script>", ZONE)
    assert b"script" not in read.content


DISGUISED = {
    "script": ("a.jpg", b"<script>alert(1)</script>"),
    "svg": ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "svg called png": ("a.png", b"<?xml version='1.0'?><svg/>"),
    "html": ("a.html", b"<!DOCTYPE html><html></html>"),
    "zip": ("a.docx", b"PK\x03\x04" + bytes(40)),
    "program": ("a.jpg", b"MZ" + bytes(200)),
    "png called jpg": ("a.jpg", picture("PNG")),
    "picture called html": ("a.html", picture()),
    "head of a picture only": ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(50)),
    "cut picture": ("a.png", picture("PNG", exif=True)[:120]),
    "gif": ("a.gif", b"GIF89a" + bytes(40)),
    "nothing": ("a.jpg", b""),
    "pdf with script": ("a.pdf", PDF.replace(b"/Type", b"/OpenAction <</S /JavaScript>> /Type")),
    "pdf without end": ("a.pdf", b"%PDF-1.4 nothing"),
}


@pytest.mark.parametrize("what", sorted(DISGUISED))
def test_disguised_and_active_files_are_refused(what: str) -> None:
    name, content = DISGUISED[what]
    with pytest.raises(Unsupported) as caught:
        read_file(name, content, ZONE)
    assert caught.value.status == 415 and caught.value.mend


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    with pytest.raises(Unsupported):
        read_file("bomb.png", out.getvalue(), ZONE)


HEADS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF....WEBP", b"%PDF-"]


@settings(max_examples=60)
@given(st.binary(max_size=300), st.sampled_from(HEADS))
def test_whatever_comes_is_read_or_refused(content: bytes, head: bytes) -> None:
    try:
        read_file("x", head + content, ZONE)
    except Unsupported:
        return
    assert sniff(head + content) == "application/pdf"


def stage(room: Room, actor: Actor, kind: Any = "before", **look: Any) -> str:
    return room.desk.attachments.stage(actor, "a.jpg", kind, picture(**look)).hash


def test_a_collector_reports_with_a_photo_and_not_without(room: Room) -> None:
    with pytest.raises(Conflict, match="须先上传处置前照片"):
        room.report(COLLECTOR, channel="collector")
    taken = stage(room, COLLECTOR, exif=True)
    case = room.report(COLLECTOR, channel="collector", attachments=(AttachmentRef(hash=taken),))
    [shown] = case.attachments
    assert (shown.hash, shown.case, shown.lon, shown.uploaded_by) == (taken, case.id, 114.055, COLLECTOR.id)
    assert case.photos == {"before": 1}
    with pytest.raises(Invalid, match="no such file waiting"):
        room.report(COLLECTOR, channel="collector", attachments=(AttachmentRef(hash=taken),))


def test_a_refused_report_leaves_its_photo_waiting(room: Room) -> None:
    taken = stage(room, COLLECTOR)
    with pytest.raises(Conflict, match="处置后照片"):
        self_handled(room, taken)
    assert room.report(COLLECTOR, channel="collector", attachments=(AttachmentRef(hash=taken),)).photos["before"] == 1


def self_handled(room: Room, *hashes: str) -> Any:
    refs = tuple(AttachmentRef(hash=h, kind=k) for h, k in zip(hashes, ("before", "after"), strict=False))
    return room.report(COLLECTOR, channel="collector", self_handled=True, attachments=refs)


def test_self_handling_needs_both_photos_the_citys_leave_and_another_person(tmp_path: Path) -> None:
    flow = changed_workflow(version="self", automation=(), self_handling={"matters": [LITTER[:-3]]})
    room = open_room(tmp_path, flow)
    before, after = stage(room, COLLECTOR), stage(room, COLLECTOR, "after", colour="green")
    case = self_handled(room, before, after)
    assert case.state == "self_review" and "self_handled" in case.flags
    two_posts = COLLECTOR.model_copy(update={"posts": ("collector", "acceptor")})
    with pytest.raises(Conflict, match="上报人不得审核"):
        room.move(two_posts, case, "accept_self")
    room.later(minutes=5)
    done = room.move(ACCEPTOR, case, "accept_self")
    assert done.state == "self_closed" and done.closed_at is not None and done.timeline[-1].used_seconds == 300
    again = self_handled(room, stage(room, COLLECTOR), stage(room, COLLECTOR, "after"))
    assert room.move(ACCEPTOR, again, "reject_self", "照片看不出结果").state == "self_invalid"
    room.database.close()


def test_the_city_may_want_a_photo_of_the_result_and_a_new_one_after_rework(tmp_path: Path) -> None:
    flow = changed_workflow(version="p", automation=(), photos={"result_matters": [LITTER]})
    room = open_room(tmp_path, flow)
    case = room.report()
    add = room.desk.attachments.add
    room.walk(case, *TO_HANDLE, (SANITATION, "assign", "", {"handler": SWEEPER.id}))
    with pytest.raises(Conflict, match="本次处置后的照片"):
        room.move(SWEEPER, case, "submit_result", result="已清理")
    add(SWEEPER, case.id, "after.jpg", "after", picture())
    room.walk(case, (SWEEPER, "submit_result", "", {"result": "已清理"}), (SANITATION, "confirm"))
    room.walk(case, (ACCEPTOR, "rework_inspect", "不干净"), (SANITATION, "assign", "", {"handler": SWEEPER.id}))
    with pytest.raises(Conflict, match="本次处置后的照片"):
        room.move(SWEEPER, case, "submit_result", result="又清理")
    add(SWEEPER, case.id, "again.jpg", "after", picture(colour="blue"))
    assert room.move(SWEEPER, case, "submit_result", result="又清理").photos == {"after": 2}
    assert [e.move for e in room.desk.get(ACCEPTOR, case.id).timeline].count("attached") == 2
    assert room.desk.verify_timeline(case.id) is None
    room.database.close()


def test_only_who_sees_the_case_sees_its_files(room: Room) -> None:
    case = room.report()
    room.walk(case, *TO_HANDLE)
    files = room.desk.attachments
    added = files.add(ACCEPTOR, case.id, "../../etc/passwd\n.jpg", "before", picture())
    assert added.name == "passwd.jpg"
    content, media_type, _ = files.content(SANITATION, added.hash, "thumb")
    assert media_type == "image/webp" and sniff(content) == "image/webp"
    assert files.content(SWEEPER, added.hash, "full")[1] == "image/jpeg"
    for stranger in (TRANSPORT, COLLECTOR.model_copy(update={"id": "x", "areas": ("440305",)})):
        with pytest.raises(NotFound):
            files.content(stranger, added.hash, "full")
        with pytest.raises(NotFound):
            files.list(stranger, case.id)
        with pytest.raises(NotFound):
            files.add(stranger, case.id, "a.jpg", "other", picture())
    with pytest.raises(AccessDenied):
        files.content(NOBODY, added.hash, "full")
    waiting = stage(room, COLLECTOR, colour="yellow")
    assert files.content(COLLECTOR, waiting, "full")
    with pytest.raises(NotFound):
        files.content(ACCEPTOR, waiting, "full")
    with pytest.raises(NotFound):
        files.content(ACCEPTOR, "../" + "0" * 61, "full")


def test_size_and_number_have_limits_and_a_closed_case_takes_evidence_only(room: Room) -> None:
    case = room.report()
    files = room.desk.attachments
    with pytest.raises(TooLarge):
        files.add(ACCEPTOR, case.id, "a.jpg", "before", bytes(files.limit + 1))
    room.walk(case, *TO_CLOSED)
    with pytest.raises(Conflict, match="has ended"):
        files.add(ACCEPTOR, case.id, "a.jpg", "after", picture())
    small = picture(size=(4, 4))
    for _ in range(MOST):
        files.add(SANITATION, case.id, "a.jpg", "evidence", small)
    with pytest.raises(Conflict, match="40 attachments already"):
        files.add(SANITATION, case.id, "a.jpg", "evidence", small)
    folder = [path for path in (room.data / "attachments").rglob("*") if path.is_file()]
    assert len(folder) == 2, "the same content lies there once, with its thumbnail"
    assert litter().attachments == ()
