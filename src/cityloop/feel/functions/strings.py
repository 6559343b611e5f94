"""Functions of texts. Patterns run on RE2, which takes linear time whatever the pattern is."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cityloop.feel.functions.registry import built_in
from cityloop.feel.values import MOST, Exhausted


@built_in("substring", "string: string", "start position: number", "length?: number")
def _substring(string: str, start: Decimal, length: Decimal | None = None) -> str | None:
    first = int(start)
    if first == 0 or abs(first) > max(len(string), 1) or (length is not None and length < 1):
        return None if first == 0 or (length is not None and length < 1) else ""
    begin = first - 1 if first > 0 else len(string) + first
    return string[begin:] if length is None else string[begin : begin + int(length)]


@built_in("string length", "string: string")
def _length(string: str) -> int:
    return len(string)


@built_in("upper case", "string: string")
def _upper(string: str) -> str:
    return string.upper()


@built_in("lower case", "string: string")
def _lower(string: str) -> str:
    return string.lower()


@built_in("substring before", "string: string", "match: string")
def _before(string: str, match: str) -> str:
    head, found, _ = string.partition(match) if match else ("", "", "")
    return head if found else ""


@built_in("substring after", "string: string", "match: string")
def _after(string: str, match: str) -> str:
    return string.partition(match)[2] if match else string


@built_in("contains", "string: string", "match: string")
def _contains(string: str, match: str) -> bool:
    return match in string


@built_in("starts with", "string: string", "match: string")
def _starts(string: str, match: str) -> bool:
    return string.startswith(match)


@built_in("ends with", "string: string", "match: string")
def _ends(string: str, match: str) -> bool:
    return string.endswith(match)


@built_in("string join", "list: list", "delimiter?: string")
def _join(texts: list[Any], delimiter: str | None = None) -> str | None:
    kept = [text for text in texts if text is not None]
    if not all(isinstance(text, str) for text in kept):
        return None
    _fits(sum(len(text) for text in kept) + len(delimiter or "") * len(kept))
    return (delimiter or "").join(kept)


@built_in("matches", "input: string", "pattern: string", "flags?: string")
def _matches(text: str, pattern: str, flags: str | None = None) -> bool:
    found: bool = pc.match_substring_regex(pa.array([text]), _re2(pattern, flags))[0].as_py()
    return found


@built_in("replace", "input: string", "pattern: string", "replacement: string", "flags?: string")
def _replace(text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    _fits(len(text) * (len(replacement) + 1))
    literal = "q" in (flags or "")
    to = replacement.replace("\\", "\\\\") if literal else _replacement(replacement)
    changed: str = pc.replace_substring_regex(pa.array([text]), _re2(pattern, flags), to)[0].as_py()
    return changed


@built_in("split", "string: string", "delimiter: string")
def _split(string: str, delimiter: str) -> list[str]:
    parts: list[str] = pc.split_pattern_regex(pa.array([string]), _re2(delimiter, None))[0].as_py()
    return parts


def _re2(pattern: str, flags: str | None) -> str:
    """An XPath pattern with its flags as one of RE2; raises ``ValueError`` for a flag that does not exist."""
    flags = flags or ""
    if set(flags) - set("smixq"):
        raise ValueError(flags)
    if "q" in flags:
        pattern = re.escape(pattern)
    elif "x" in flags:
        pattern = re.sub(r"\s+", "", pattern)
    modes = "".join(flag for flag in "smi" if flag in flags)
    return f"(?{modes}){pattern}" if modes else pattern


def _replacement(text: str) -> str:
    """``$1`` as ``\\1``; raises ``ValueError`` for a lone ``$`` or backslash."""
    out, index = [], 0
    for found in re.finditer(r"\\([\\$])|\$(\d)", text):
        out.append(_plain(text[index : found.start()]))
        kept = found.group(1)
        out.append(("\\\\" if kept == "\\" else kept) if kept else f"\\{found.group(2)}")
        index = found.end()
    return "".join([*out, _plain(text[index:])])


def _plain(text: str) -> str:
    if "\\" in text or "$" in text:
        raise ValueError(text)
    return text


def _fits(size: int) -> None:
    if size > MOST:
        raise Exhausted
