"""How a secrets engine or an auth method is declared."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_node.sdk.system import SystemView
from strongroom_storage.view import StorageView


@dataclass(slots=True)
class MountContext:
    """What an engine instance is made with."""

    view: StorageView
    mount: Mount
    system: SystemView


class Engine:
    """Base of every engine instance: its view, its mount and its window on the system."""

    def __init__(self, context: MountContext) -> None:
        """Keep the context; an engine holds no other state that matters."""
        self.view = context.view
        self.mount = context.mount
        self.system = context.system


Handler = Callable[[Any, Request], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class SecretType:
    """A kind of leased secret: how it is renewed and revoked.

    `revoke` gets a request with `secret_data`; raising means "try again later". `renew` answers with the new
    `Secret` in its response; an engine without one cannot renew.
    """

    name: str
    revoke: Handler
    renew: Handler | None = None


@dataclass(frozen=True, slots=True)
class EngineType:
    """One kind of secrets engine or auth method.

    `paths_for` chooses other paths by the mount (KV v1 and v2 are one type). `renew_login` is asked when a token of an
    auth method is renewed, and may refuse. `alias_of_login` names the alias that a login is about before it is tried,
    which makes the method subject to user lockout; "" exempts the request. `prepare` runs when a mount is made or
    tuned, to check its options.
    """

    name: str
    summary: str
    make: Callable[[MountContext], Engine]
    paths: tuple[Path, ...] = ()
    paths_for: Callable[[Mount], tuple[Path, ...]] | None = None
    secrets: tuple[SecretType, ...] = ()
    is_auth: bool = False
    login_path: str = ""
    alias_of_login: Callable[[Request], str] | None = None
    renew_login: Handler | None = None
    prepare: Callable[[Mount], None] | None = None
    on_mount: Callable[[Engine], Awaitable[None]] | None = None
    built_in_mount_only: bool = False
    help: str = ""
    tags: tuple[str, ...] = field(default=())
