"""Build the demo city's limits from the published limits of one city, once; the result is committed.

    uv run python tools/build_limits.py packs/urban cities/demo/limits.yaml

Rule: each line of ``limits_example.csv`` (old catalogue) is carried to the new catalogue by the reviewed map. Of one
matter's lines, those whose limit is an emergency (紧急) are left out while others remain, since a report without a
chosen line is the ordinary case; of the rest the limit that most lines have is taken, the shorter one when two are
equal. A class takes the limit that most of its matters have.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from cityloop.city.grammar import Limit, parse_limit
from cityloop.city.limit_sheet import usual

HEAD = """# Handling limits of the demo city, by matter, else by class, else the fallback. Texts are kept as published.
# Built by tools/build_limits.py from packs/urban/limits_example.csv; the rule stands there. An example, no default:
# limits differ widely between cities, and each sets its own.
origin:
  zh: 运城市公开的立案结案规范，经新旧目录对照表转到 GB/T 47678.5；仅作示例
  en: Published rules of the city of Yuncheng, carried to GB/T 47678.5 by the map of both catalogues; an example only
"""


LOCAL = {
    "air:matter:10": "8紧急工作时",
    "hazmat:matter:10": "1紧急工作时",
    "metro:matter:10": "2紧急工作时",
    "traffic:matter:10": "1紧急工作时",
}
"""Limits of the packs' local matters: chosen for the demo, published nowhere."""


def main() -> None:
    """Read the pack's tables, choose one text for each matter and class, write the YAML file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    texts = limits_by_new_code(options.pack)
    matters = {f"gb47678:matter:{code}": chosen(found) for code, found in sorted(texts.items())}
    classes = defaultdict(list)
    for key, text in matters.items():
        classes[":".join([*key.split(":")[:2], key.split(":")[2][:2]])].append(text)
    by_class = {key: chosen(found) for key, found in classes.items()}
    lines = [HEAD, "fallback: " + chosen(matters.values()), "classes:"]
    lines += [f'  "{key}": {text}' for key, text in sorted({**by_class, **LOCAL}.items())]
    lines += ["matters:", *[f'  "{key}": {text}' for key, text in matters.items()], ""]
    options.target.write_text("\n".join(lines), encoding="utf-8")


def limits_by_new_code(pack: Path) -> dict[str, list[str]]:
    """All limit texts of each new matter code; lines whose text needs a person are left out."""
    new_codes = {
        (row["old_kind"], row["old_code"]): row["new_code"]
        for row in _rows(pack / "catalogue" / "map_gb30428_gb47678.csv")
        if row["new_code"]
    }
    texts: dict[str, list[str]] = defaultdict(list)
    for row in _rows(pack / "limits_example.csv"):
        code = new_codes.get((row["kind"], row["old_code"]))
        text = "".join(row["limit_text"].split())
        if code and isinstance(parse_limit(text, "work_default"), Limit):
            texts[code].append(text)
    return texts


def chosen(texts: Iterable[str]) -> str:
    """The ordinary limit that most have; the shorter when equal."""
    return usual(texts, lambda text: parse_limit(text, "work_default"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
