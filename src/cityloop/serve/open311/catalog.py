"""The catalogue in force as services, and the answers to their questions."""

from __future__ import annotations

import builtins
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.city.schemas import Matter
from cityloop.city.service import City
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.serve.open311.asked import wrong
from cityloop.serve.open311.content import Attribute, Open311File


class Services:
    """A service is a matter. Its code is the digits of the catalogue in force, of a local catalogue the whole key."""

    def __init__(self, city: City, file: Open311File) -> None:
        self._city, self._file = city, file
        self._by_code = {self.code_of(matter): matter for matter in city.catalogue.list()}

    def code_of(self, matter: Matter) -> str:
        """The service code of a matter; old cases of a kept catalogue show their whole key."""
        return matter.code if matter.standard == self._city.catalogue.in_force else matter.key

    def get(self, code: str) -> Matter:
        """The matter of a code; raises :class:`NotFound`."""
        found = self._by_code.get(code)
        if found is None:
            raise NotFound(f"there is no service '{code[:60]}'", "take a service_code from GET services, as text")
        return found

    def list(self) -> builtins.list[dict[str, Any]]:
        """Every service."""
        return [self._service(code, matter) for code, matter in self._by_code.items()]

    def definition(self, code: str) -> dict[str, Any]:
        """The questions of a service."""
        asked = self._asked(self.get(code))
        return {"service_code": code, "attributes": [self._question(n, one) for n, one in enumerate(asked, 1)]}

    def answers(self, matter: Matter, given: Mapping[str, tuple[str, ...]]) -> builtins.list[str]:
        """Questions and answers in the city's words, a line each; raises :class:`Invalid` for what does not fit."""
        asked = {one.code: one for one in self._asked(matter)}
        for code in given:
            if code not in asked:
                known = ", ".join(asked) or "none"
                raise wrong(
                    f"attribute[{code[:60]}]", f"the service has no attribute '{code[:60]}'", f"it has: {known}"
                )
        for one in asked.values():
            if one.required and one.code not in given:
                raise wrong(
                    f"attribute[{one.code}]", f"attribute[{one.code}] is required", "see the service's definition"
                )
        return [
            f"{self.words(asked[code].title)}: {', '.join(self._answer(asked[code], values))}"
            for code, values in given.items()
        ]

    def words(self, title: Title) -> str:
        """A title in the city's language."""
        return title.zh if self._city.language == "zh" else title.en

    def _asked(self, matter: Matter) -> tuple[Attribute, ...]:
        return tuple(one for one in self._file.attributes if one.asked_of(matter.key))

    def _service(self, code: str, matter: Matter) -> dict[str, Any]:
        name, group = self.words(matter.title), self.words(matter.class_title)
        return {
            "service_code": code,
            "service_name": name,
            "description": f"{group} · {name}",
            "metadata": bool(self._asked(matter)),
            "type": "batch" if self._file.by_token(matter.key) else "realtime",
            "keywords": ",".join(dict.fromkeys([matter.title.zh, matter.title.en.replace(",", " ")])),
            "group": group,
        }

    def _question(self, order: int, one: Attribute) -> dict[str, Any]:
        return {
            "variable": True,
            "code": one.code,
            "datatype": one.datatype,
            "required": one.required,
            "datatype_description": self.words(one.hint),
            "order": order,
            "description": self.words(one.title),
            "values": [{"key": choice.key, "name": self.words(choice.title)} for choice in one.values],
        }

    def _answer(self, one: Attribute, values: tuple[str, ...]) -> builtins.list[str]:
        where = f"attribute[{one.code}]"
        if len(values) > 1 and one.datatype != "multivaluelist":
            raise wrong(where, f"{where} takes one value", "send it once")
        if one.values:
            titles = {choice.key: self.words(choice.title) for choice in one.values}
            if other := [value for value in values if value not in titles]:
                raise wrong(where, f"'{other[0][:60]}' is no value of {where}", f"one of: {', '.join(titles)}")
            return [titles[value] for value in values]
        if one.datatype == "number" and not _is_number(values[0]):
            raise wrong(where, f"{where} is a number", "write it with a decimal point")
        if one.datatype == "datetime" and not _is_instant(values[0]):
            raise wrong(where, f"{where} is a date-time with its zone", "write it as 2026-03-09T08:00:00+08:00")
        if len(values[0]) > 1000:
            raise wrong(where, f"{where} is longer than 1000 characters", "shorten it")
        return list(values)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
