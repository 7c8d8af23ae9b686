"""A whole core over an in-memory store, asked without HTTP."""

from contextlib import asynccontextmanager

from strongroom_cluster.store import open_store
from strongroom_node.assembly import make_core
from strongroom_node.core.core import CoreConfig
from strongroom_node.sdk.errors import RequestError
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.seals.registry import make_seal

START = 1_700_000_000.0


class Node:
    """A development core with a clock that stands still until it is moved."""

    def __init__(self, **config):
        self.time = START
        store = open_store(None, clock=self.now)
        self.core = make_core(store, make_seal("shamir"), CoreConfig(dev_root_token="root", **config), self.now)

    def now(self):
        return self.time

    async def ask(self, operation, path, token="root", /, *, wrap=0.0, address="127.0.0.1", **data):
        """The response of one request."""
        if operation in {"list", "scan"} and not path.endswith("/"):
            path += "/"
        request = Request(
            Operation(operation), path, data, id="r", token=token, remote_address=address, wrap_ttl=wrap, query={}
        )
        return await self.core.handle(request)

    async def refusal(self, operation, path, token="root", /, **more):
        """The error that one request ends with."""
        try:
            answer = await self.ask(operation, path, token, **more)
        except RequestError as error:
            return error
        raise AssertionError(f"{operation} {path} was answered: {answer}")

    async def policy(self, name, text):
        await self.ask("update", f"sys/policies/acl/{name}", policy=text)

    async def token(self, *policies, **wishes):
        """A new token with these policies only."""
        answer = await self.ask(
            "update", "auth/token/create", policies=list(policies), no_default_policy=True, **wishes
        )
        return answer.auth.client_token


@asynccontextmanager
async def running_node(**config):
    node = Node(**config)
    await node.core.start()
    node.share = await node.core.make_development()
    try:
        yield node
    finally:
        await node.core.stop()
