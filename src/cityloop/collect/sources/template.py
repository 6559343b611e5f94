"""Topics and subjects with names in them: ``air/+station/json`` listens to ``air/+/json`` and tells the station."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Template:
    """A filter of levels. ``sign`` stands for one level, ``rest`` for all that follow; a name may stand behind each."""

    def __init__(self, text: str, separator: str, sign: str, rest: str) -> None:
        self._separator = separator
        self._names: list[tuple[int, str, bool]] = []
        levels = text.split(separator)
        if "" in levels:
            raise ValueError(f"'{text}' has an empty level")
        plain: list[str] = []
        for number, level in enumerate(levels):
            mark = level[0]
            if mark in (sign, rest):
                if mark == rest and number != len(levels) - 1:
                    raise ValueError(f"'{rest}' can only be the last level of '{text}'")
                if level[1:] and not _NAME.fullmatch(level[1:]):
                    raise ValueError(f"'{level[1:]}' in '{text}' is no name of a field")
                self._names += [(number, level[1:], mark == rest)] if level[1:] else []
                plain.append(mark)
            elif sign in level or rest in level:
                raise ValueError(f"in '{text}' a '{sign}' or '{rest}' must stand at the start of its level")
            else:
                plain.append(level)
        self.filter = separator.join(plain)

    @property
    def fields(self) -> list[str]:
        """The names, in order."""
        return [name for _, name, _ in self._names]

    def match(self, topic: str) -> Mapping[str, str]:
        """The named levels of a topic that came in under this filter."""
        levels = topic.split(self._separator)
        return {
            name: self._separator.join(levels[number:]) if rest else levels[number]
            for number, name, rest in self._names
            if number < len(levels)
        }


def topic_template(text: str) -> Template:
    """An MQTT topic."""
    return Template(text, "/", "+", "#")


def subject_template(text: str) -> Template:
    """A NATS subject."""
    return Template(text, ".", "*", ">")
