"""stub"""

from __future__ import annotations

from cityloop.drill.schemas import DrillActorView


class Drill:
    def actors(self) -> list[DrillActorView]:
        raise NotImplementedError

    def switch(self, account: str, playing: bool) -> DrillActorView:
        raise NotImplementedError
