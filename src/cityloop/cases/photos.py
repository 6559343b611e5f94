"""What an uploaded file really is. Pure: bytes in, a clean copy and its facts out.

The type is read from the content, never from the name or the header. Pictures are decoded and written anew, so that
nothing but pixels remains; place and time are read before and kept as facts.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePath
from typing import Any

from PIL import ExifTags, Image, ImageOps

from cityloop.core.errors import Unsupported

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
ENDINGS = {"image/jpeg": ("jpg", "jpeg", "jpe"), "image/png": ("png",), "image/webp": ("webp",),
           "application/pdf": ("pdf",)}  # fmt: skip
MOST_PIXELS = 50_000_000
THUMB_PIXELS = 320
_MEND = "JPEG, PNG, WebP and PDF are taken"
_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b")


@dataclass(frozen=True, slots=True)
class Read:
    """A clean copy of a file, its hash (SHA-256, hex) and what was read from it; ``thumb`` is WebP."""

    content: bytes
    hash: str
    media_type: str
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    thumb: bytes | None = None


def read_file(name: str, content: bytes, zone: tzinfo) -> Read:
    """Read an upload; raises :class:`Unsupported` for anything that is no clean picture or PDF.

    ``zone`` holds for a time of capture that carries no offset of its own.
    """
    media_type = sniff(content)
    if media_type is None:
        raise Unsupported("the file is neither a picture nor a PDF", _MEND)
    ending = PurePath(name).suffix.lower().lstrip(".")
    if ending and ending not in ENDINGS[media_type]:
        what = f"the file is called '.{ending[:12]}', but its content is {media_type}"
        raise Unsupported(what, "give it its own ending")
    return _document(content) if media_type == "application/pdf" else _picture(content, media_type, zone)


def sniff(content: bytes) -> str | None:
    """The media type by the first bytes; ``None`` for all that is not taken (scripts, SVG, archives, programs)."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "application/pdf" if content.startswith(b"%PDF-") else None


def _document(content: bytes) -> Read:
    if b"%%EOF" not in content[-2048:]:
        raise Unsupported("the PDF has no end", "save it again")
    if found := _ACTIVE.search(content):
        raise Unsupported(f"the PDF carries active content ({found.group().decode()})", "print it to a plain PDF")
    return Read(content, _hash(content), "application/pdf")


def _picture(content: bytes, media_type: str, zone: tzinfo) -> Read:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decoded(content, media_type, zone)
    except Unsupported:
        raise
    except Exception as error:
        # Decoders fail in many ways on broken input; all mean the same to whoever sent it.
        raise Unsupported(f"the picture cannot be read: {type(error).__name__}", "take or save it again") from error


def _decoded(content: bytes, media_type: str, zone: tzinfo) -> Read:
    with Image.open(io.BytesIO(content), formats=[_format(media_type)]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Unsupported(f"the picture has {image.width} × {image.height} pixels", "send a smaller one")
        facts = _facts(image.getexif(), zone)
        upright = ImageOps.exif_transpose(image)
        clean = _written(upright, media_type)
        return Read(clean, _hash(clean), media_type, upright.width, upright.height, **facts, thumb=_thumb(upright))


def _format(media_type: str) -> str:
    return next(name for name, known in TYPES.items() if known == media_type)


def _written(image: Image.Image, media_type: str) -> bytes:
    """Pixels only: without EXIF, comments, colour profiles and whatever follows the end of the picture."""
    out = io.BytesIO()
    plain = image.convert("RGB") if media_type == "image/jpeg" else image.copy()
    plain.info = {}
    options: dict[str, Any] = {"quality": 92} if media_type != "image/png" else {}
    plain.save(out, _format(media_type), **options)
    return out.getvalue()


def _thumb(image: Image.Image) -> bytes:
    small = image.convert("RGB")
    small.thumbnail((THUMB_PIXELS, THUMB_PIXELS))
    small.info = {}
    out = io.BytesIO()
    small.save(out, "WEBP", quality=75)
    return out.getvalue()


def _facts(exif: Image.Exif, zone: tzinfo) -> dict[str, Any]:
    detail, place = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    lat = _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    lon = _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    both = lat is not None and lon is not None
    return {"taken_at": _taken(detail, zone), "lon": lon if both else None, "lat": lat if both else None}


def _taken(detail: dict[int, Any], zone: tzinfo) -> datetime | None:
    text = str(detail.get(ExifTags.Base.DateTimeOriginal, ""))
    offset = str(detail.get(ExifTags.Base.OffsetTimeOriginal, ""))
    try:
        if re.fullmatch(r"[+-]\d\d:\d\d", offset):
            return datetime.strptime(text + offset, "%Y:%m:%d %H:%M:%S%z")
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        return None


def _degrees(place: dict[int, Any], key: int, ref: int, negative: str, most: float) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in place[key])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    value = -value if str(place.get(ref, "")).upper().startswith(negative) else value
    return round(value, 7) if -most <= value <= most else None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
