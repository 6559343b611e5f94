"""Routes of commands: the log, one command, orders and what people do with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.command.schemas import (
    CommandDetail,
    CommandFilter,
    CommandKind,
    CommandState,
    CommandView,
    ContactView,
    Order,
    OrderDraft,
    Rehearsed,
    Settlement,
    Why,
)
from cityloop.command.service import Commander, refusal_of
from cityloop.core.values import Page
from cityloop.core.web import Paged, service

router = APIRouter(prefix="/api/v1", tags=["commands"])
TheCommander = Annotated[Commander, Depends(service(Commander))]


async def command_filter(
    state: CommandState | None = None,
    open: Annotated[bool | None, Query(description="those that wait for a person: proposed or unknown")] = None,
    entity: str | None = None,
    entity_type: str | None = None,
    command: str | None = None,
    department: str | None = None,
    run: str | None = None,
    by: str | None = None,
    q: Annotated[str | None, Query(max_length=120)] = None,
) -> CommandFilter:
    """The filter parameters of a request."""
    return CommandFilter(**dict(locals()))


Filtered = Annotated[CommandFilter, Depends(command_filter)]


@router.get("/commands")
def commands(commander: TheCommander, actor: Asker, paged: Paged, wanted: Filtered) -> Page[CommandView]:
    """The log, newest first; sort by ``ordered_at``, ``ended_at``, ``state``, ``entity``, ``command``, ``level``."""
    return commander.list(actor, wanted, paged)


@router.get("/command-kinds")
def command_kinds(commander: TheCommander, actor: Asker, entity_type: str | None = None) -> tuple[CommandKind, ...]:
    """What may be ordered of which entities."""
    return commander.kinds(actor, entity_type)


@router.get("/command-contacts")
def command_contacts(
    commander: TheCommander, actor: Asker, paged: Paged, open: bool | None = None
) -> Page[ContactView]:
    """Devices that are or were out of contact, with what is known of their safe state."""
    return commander.lost_contacts(actor, paged, open)


@router.post("/commands", status_code=201, responses={200: {"model": Rehearsed}})
def order(body: OrderDraft, commander: TheCommander, actor: Asker, response: Response) -> CommandView | Rehearsed:
    """Give an order, or with ``dry_run`` only ask what it would meet. A refused one answers 409 with every reason."""
    wanted = Order(**body.model_dump(exclude={"dry_run"}))
    if body.dry_run:
        response.status_code = 200
        return commander.dry_run(wanted, actor)
    given = _given(commander.order(wanted, actor))
    response.headers["Location"] = f"/api/v1/commands/{given.id}"
    return given


@router.get("/commands/{command}")
def command(command: str, commander: TheCommander, actor: Asker) -> CommandDetail:
    """One command: verdict, state before and now, history."""
    return commander.get(actor, command)


@router.post("/commands/{command}/confirm")
def confirm(command: str, body: Why, commander: TheCommander, actor: Asker) -> CommandView:
    """Agree as the second person; everything is checked once more."""
    return commander.confirm(command, actor, body.reason)


@router.post("/commands/{command}/refuse")
def refuse(command: str, body: Why, commander: TheCommander, actor: Asker) -> CommandView:
    """Say no as the second person, or take one's own proposal back."""
    return commander.refuse(command, actor, body.reason)


@router.post("/commands/{command}/undo")
def undo(command: str, body: Why, commander: TheCommander, actor: Asker) -> CommandView:
    """Order the declared way back; answers with that order."""
    return _given(commander.undo(command, actor, body.reason))


@router.post("/commands/{command}/settle")
def settle(command: str, body: Settlement, commander: TheCommander, actor: Asker) -> CommandView:
    """Say what became of a command whose outcome was unknown."""
    return commander.settle(command, actor, body.reason, body.outcome)


def _given(view: CommandView) -> CommandView:
    """The command; raises its refusal as a problem."""
    if view.state == "refused":
        raise refusal_of(view)
    return view
