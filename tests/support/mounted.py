"""One mounted engine over a store in memory: what the pipeline does around an engine, without the pipeline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from strongroom_cluster.store import Store, open_store
from strongroom_node.sdk.engine import EngineType, MountContext
from strongroom_node.sdk.errors import NotFound, UnsupportedOperation, UnsupportedPath
from strongroom_node.sdk.fields import coerce_fields
from strongroom_node.sdk.mount import Mount, MountConfig
from strongroom_node.sdk.path import PathTable
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Response
from strongroom_storage.crypto.entropy import random_bytes


class Clock:
    """Unix seconds that stand still until told."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.seconds = now

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class System:
    """What engines ask of the node."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock
        self.blocking_calls = 0

    def default_lease_ttl(self) -> float:
        return 2764800.0

    def max_lease_ttl(self) -> float:
        return 2764800.0

    def run_blocking(self, work: Callable[..., Any], *args: Any) -> Awaitable[Any]:
        self.blocking_calls += 1
        return asyncio.get_running_loop().run_in_executor(None, work, *args)

    def generate_password(self, policy: str) -> str:
        raise NotFound(policy)

    def entity_info(self, entity_id: str) -> dict[str, Any] | None:
        return None


async def open_memory(clock: Clock) -> Store:
    """An unsealed store in memory."""
    store = open_store(None, clock=clock)
    await store.start()
    key = random_bytes(32)
    await store.barrier.initialize(key)
    store.barrier.unseal(key)
    return store


def a_mount(kind: str, *, is_auth: bool = False, options: dict[str, str] | None = None, **config: Any) -> Mount:
    """A mount table entry at its type's usual path."""
    accessor = f"auth_{kind}_0a1b2c3d" if is_auth else f"{kind}_0a1b2c3d"
    return Mount(
        uuid="00000000-0000-4000-8000-000000000001",
        path=f"auth/{kind}/" if is_auth else f"{kind}/",
        type=kind,
        accessor=accessor,
        is_auth=is_auth,
        options=options or {},
        config=MountConfig(**config),
    )


class Mounted:
    """A mount of one engine type; `request` runs a request the way the pipeline does."""

    def __init__(self, store: Store, kind: EngineType, mount: Mount, clock: Clock) -> None:
        self.store, self.kind, self.mount, self.clock = store, kind, mount, clock
        self.system = System(clock)
        self.view = store.barrier.view(mount.storage_prefix)
        if kind.prepare is not None:
            kind.prepare(mount)
        self.engine: Any = kind.make(MountContext(self.view, mount, self.system))
        self.table = PathTable(kind.paths_for(mount) if kind.paths_for else kind.paths)

    async def request(
        self, operation: str, path: str, data: dict[str, Any] | None = None, *, body: bytes = b"", address: str = ""
    ) -> Response | None:
        """Run one request. `body` stands for the JSON as it came over the wire."""
        if body and data is None:
            data = msgspec.json.decode(body)
        request = Request(
            operation=Operation(operation),
            path=self.mount.path + path,
            relative=path,
            data=data or {},
            body=body,
            mount=self.mount,
            remote_address=address,
        )
        found = self.table.match(path, request.operation)
        if found is None:
            raise UnsupportedPath
        request.declaration, request.fields = found
        exists = request.declaration.exists
        if request.operation is Operation.UPDATE and exists is not None and not exists(self.engine, request):
            request.operation = Operation.CREATE
        handler = request.declaration.handler(request.operation)
        if handler is None:
            raise UnsupportedOperation
        request.fields = {**coerce_fields(request.declaration.fields, request.data), **request.fields}
        return await handler(self.engine, request)

    async def body(self, operation: str, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        """The data of the answer as a client reads them, None for an empty answer."""
        response = await self.request(operation, path, data, **more)
        return None if response is None else json_of(response)


def json_of(response: Response) -> Any:
    """The answer's data after a trip through JSON."""
    return msgspec.json.decode(msgspec.json.encode(response.data))
