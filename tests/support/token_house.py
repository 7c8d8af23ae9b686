"""Tokens, leases and wrapping over an in-memory store, with a clock that stands still."""

from strongroom_cluster.store import open_store
from strongroom_node.expiration.index import LeaseIndex
from strongroom_node.expiration.leases import LeaseStore
from strongroom_node.expiration.worker import ExpirationWorker
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Response, Secret
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.store import TokenStore
from strongroom_node.tokens.ttl import Limits

ROOT_KEY = bytes(range(32))
DAY = 86400.0
LIMITS = Limits(32 * DAY, 32 * DAY)
MOUNT = Mount(uuid="u1", path="db/", type="fake", accessor="fake_1234")


class Clock:
    """Unix seconds that move only when told."""

    def __init__(self, at=1_700_000_000.0):
        self.at = at

    def __call__(self):
        return self.at

    def pass_(self, seconds):
        self.at += seconds


class TokenHouse:
    """One node's tokens and leases; `revoked` has the leases its engine took back."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.barrier = store.barrier
        self.revoked = []
        self.failing = {}
        self.attach()

    @classmethod
    async def open(cls):
        clock = Clock()
        store = open_store(None, clock=clock)
        await store.start()
        await store.barrier.initialize(ROOT_KEY)
        store.barrier.unseal(ROOT_KEY)
        house = cls(store, clock)
        await house.tokens.prepare()
        return house

    def attach(self):
        """What a process that starts anew has: the store and nothing else."""
        self.index = LeaseIndex(self.barrier)
        self.tokens = TokenStore(self.barrier, self.index, self.clock)
        self.leases = LeaseStore(self.barrier, self.index, self.tokens, self.clock, self.revoke_secret)
        self.worker = ExpirationWorker(self.leases, self.tokens, self.index, self.clock)

    async def close(self):
        await self.store.close()

    async def revoke_secret(self, lease):
        error = self.failing.get(lease.mount) or self.failing.get(lease.id)
        if error is not None:
            raise error
        self.revoked.append(lease.id)

    async def token(self, parent=None, ttl=3600.0, **more):
        """A service token (or another `type`); the token and its entry."""
        values = {"policies": ("default",), "path": "auth/token/create", "renewable": True, **more}
        draft = TokenEntry(
            key="",
            parent="" if parent is None else parent.key,
            creation_time=self.clock(),
            creation_ttl=ttl,
            **values,
        )
        return await self.tokens.create(draft)

    async def lease(self, entry, path="db/creds/app", limits=LIMITS, mount=MOUNT, **more):
        """A secret's lease; the answer."""
        request = Request(operation=Operation.READ, path=path, mount=mount, auth=entry)
        response = Response(data={"password": "x"}, secret=Secret(kind="creds", **{"ttl": 600.0, **more}))
        await self.leases.register(request, response, entry, limits)
        return response

    def records(self):
        """Every key of tokens, leases and cubbyholes, but for what a cluster always has."""
        keys = [
            f"{area}/{key}" for area in ("token", "lease", "cubbyhole") for key in self.barrier.view(f"{area}/").walk()
        ]
        return [key for key in keys if key not in {"token/salt", "token/batch-key"}]
