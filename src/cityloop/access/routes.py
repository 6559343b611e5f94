"""Sign in, sign out, who am I; and the dependency by which every other route knows its actor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.access.explain import AccessView, explain
from cityloop.access.saved import SavedViews, ViewKeeper
from cityloop.access.service import Accounts
from cityloop.core.errors import NotFound, SignInNeeded
from cityloop.core.settings import Settings
from cityloop.core.values import Frozen, Title
from cityloop.core.web import service

COOKIE = "cityloop_session"
router = APIRouter(prefix="/api/v1", tags=["access"])


class SignIn(Frozen):
    """Name of the account and its password."""

    account: str
    password: str


class PasswordChange(SignIn):
    """The same, and the password that shall take its place."""

    new_password: str = Field(max_length=200)


class DemoSignIn(Frozen):
    """Account of a demo post."""

    account: str


class SessionView(Frozen):
    """Who is signed in, what this actor may do, and of which things this actor sees any."""

    actor: Actor
    permissions: list[str]
    sees: list[str]


class DemoPost(Frozen):
    """A post that the demo lets a visitor take."""

    account: str
    name: Title
    posts: list[str]
    department: str | None


def actor_of(request: Request, accounts: Annotated[Accounts, Depends(service(Accounts))]) -> Actor:
    """The signed-in actor, by session cookie or bearer token; raises :class:`SignInNeeded`."""
    bearer = request.headers.get("authorization", "")
    token = bearer[7:] if bearer.lower().startswith("bearer ") else request.cookies.get(COOKIE, "")
    actor = accounts.actor(token) if token else None
    if actor is None:
        raise SignInNeeded(
            "nobody is signed in, or the session has ended", "POST /api/v1/session, or send a bearer token"
        )
    return actor


Asker = Annotated[Actor, Depends(actor_of)]
TheDoor = Annotated[Door, Depends(service(Door))]
TheAccounts = Annotated[Accounts, Depends(service(Accounts))]
TheViews = Annotated[ViewKeeper, Depends(service(ViewKeeper))]
TheSettings = Annotated[Settings, Depends(service(Settings))]


@router.post("/session")
def sign_in(
    body: SignIn, response: Response, accounts: TheAccounts, door: TheDoor, settings: TheSettings
) -> SessionView:
    """Sign in with a password; sets the session cookie. 403 ``password-due`` for one that must be changed first."""
    actor, token = accounts.sign_in(body.account, body.password)
    _set_cookie(response, token, settings)
    return SessionView(actor=actor, permissions=door.permissions(actor), sees=door.seen(actor))


@router.post("/session/password")
def change_password(
    body: PasswordChange, response: Response, accounts: TheAccounts, door: TheDoor, settings: TheSettings
) -> SessionView:
    """Change a password by the old one, and sign in; the account's other sessions end."""
    actor, token = accounts.change_password(body.account, body.password, body.new_password)
    _set_cookie(response, token, settings)
    return SessionView(actor=actor, permissions=door.permissions(actor), sees=door.seen(actor))


@router.get("/session")
def who_am_i(actor: Asker, door: TheDoor) -> SessionView:
    """The signed-in actor."""
    return SessionView(actor=actor, permissions=door.permissions(actor), sees=door.seen(actor))


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, accounts: TheAccounts) -> None:
    """End this session."""
    accounts.close_session(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/")


@router.get("/me/views")
def my_views(actor: Asker, views: TheViews) -> SavedViews:
    """The asker's saved filters."""
    return views.of(actor.id)


@router.put("/me/views")
def keep_my_views(body: SavedViews, actor: Asker, views: TheViews) -> SavedViews:
    """Keep these filters in place of the earlier ones."""
    return views.put(actor.id, body)


@router.get("/access/explain")
def explain_access(
    asker: Asker,
    door: TheDoor,
    accounts: TheAccounts,
    entity: Annotated[str, Query(max_length=60)],
    dataset: Annotated[str | None, Query(max_length=60)] = None,
    actor: Annotated[str | None, Query(max_length=60)] = None,
) -> AccessView:
    """Why an actor can or cannot see something; about somebody else only with ``access.explain``."""
    if actor is None or actor == asker.id:
        return explain(door, asker, entity, dataset)
    door.permit(asker, "access.explain")
    return explain(door, accounts.get(actor), entity, dataset)


@router.get("/demo/posts")
def demo_posts(accounts: TheAccounts, settings: TheSettings) -> list[DemoPost]:
    """The posts a visitor of the demo may take; an empty list outside demo mode."""
    people = accounts.list(("person",)) if settings.demo else []
    return [DemoPost(account=a.id, name=a.name, posts=list(a.posts), department=a.department) for a in people]


@router.post("/demo/session")
def demo_sign_in(
    body: DemoSignIn, response: Response, accounts: TheAccounts, door: TheDoor, settings: TheSettings
) -> SessionView:
    """Take a demo post without a password; refused outside demo mode."""
    if not settings.demo:
        raise NotFound("this is not a demo", "sign in with account and password")
    actor = accounts.get(body.account)
    if actor.kind != "person":
        raise NotFound(f"'{body.account}' is not a demo post", "take one of GET /api/v1/demo/posts")
    _set_cookie(response, accounts.open_session(actor.id), settings)
    return SessionView(actor=actor, permissions=door.permissions(actor), sees=door.seen(actor))


def _set_cookie(response: Response, token: str, settings: Settings) -> None:
    span = int(settings.session_hours * 3600)
    response.set_cookie(
        COOKIE, token, max_age=span, httponly=True, samesite="strict", secure=settings.secure_cookies, path="/"
    )
