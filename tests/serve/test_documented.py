"""Documentation that cannot rot: what exists is described, what is described exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from cityloop.core.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`CITYLOOP_{name.upper()}`" in _text("operating.md")


def test_every_event_is_documented_and_no_other() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    used = set(re.findall(r'"(cityloop\.[a-z]+\.[a-z_]+)"', source))
    used |= {f"cityloop.warning.{what}" for what in ("raised", "level", "cleared", "acknowledged", "linked")}
    assert used == set(re.findall(r"^\| `(cityloop\.[a-z._]+)`", _text("events.md"), re.MULTILINE))


def test_every_move_is_documented() -> None:
    flow = yaml.safe_load((ROOT / "packs" / "urban" / "workflow.yaml").read_text(encoding="utf-8"))
    moves = {move["id"] for move in flow["moves"]}
    assert {move for move in moves if f"`{move}`" not in _text("workflow.md")} == set()


def test_every_metric_is_documented() -> None:
    for path in (ROOT / "packs").glob("*/metrics.yaml"):
        model = yaml.safe_load(path.read_text(encoding="utf-8"))
        for metric in model["metrics"]:
            assert f"`{metric['id']}`" in _text("metrics.md"), f"{path}: {metric['id']}"


def test_every_prometheus_metric_is_documented() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    names = set(re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(cityloop_[a-z_]+)"', source))
    assert names
    assert {name for name in names if f"`{name}`" not in _text("operating.md")} == set()


def test_every_dependency_says_why() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=]", line)[0] for line in wanted}
    assert {name for name in names if name not in _text("dependencies.md") and not name.startswith("types-")} == set()


@pytest.mark.parametrize("page", [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "README.zh-CN.md"], ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http", "mailto")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_both_readmes_show_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        return re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)

    assert commands("README.md") == commands("README.zh-CN.md")
