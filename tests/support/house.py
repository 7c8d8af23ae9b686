"""A keeper over an in-memory store, and a core that only counts what it is asked."""

from strongroom_cluster.store import open_store
from strongroom_node.core.ceremonies import Keeper, NodeFacts
from strongroom_node.core.ceremonies.endpoints import answer
from strongroom_node.seals.registry import make_seal

TOKEN = "hvs.abcdefghijklmnopqrstuvwx"
STATIC = {"current_key_id": "k1", "current_key": "11" * 32}


def forged_beside(*shares):
    """A share of nothing, with a coordinate that none of the given shares has."""
    taken = {int(share[-2:], 16) for share in shares}
    coordinate = next(x for x in range(1, 256) if x not in taken)
    return "11" * 32 + f"{coordinate:02x}"


class House:
    """A store, a keeper and everything the core would do, written down."""

    def __init__(self, kind="shamir", settings=None, store=None):
        self.store = store or open_store(None)
        self.events = []
        self.tokens = [TOKEN]
        self.discarded = []
        self.fail_next = None
        self.seal = make_seal(kind, settings)
        self.keeper = Keeper(
            self.store.barrier,
            self.seal,
            make_root_token=self._make_root_token,
            on_unsealed=self._on_unsealed,
            on_sealing=self._on_sealing,
            discard_root_token=self._discard,
            facts=lambda: NodeFacts("1.15.2", "2023-11-06T11:33:28Z", "inmem", "vault-cluster-1", "id-1"),
        )

    async def _make_root_token(self):
        assert not self.keeper.is_sealed
        self.events.append("token")
        return self.tokens[0]

    async def _on_unsealed(self):
        assert not self.keeper.is_sealed
        if self.fail_next:
            error, self.fail_next = self.fail_next, None
            raise error
        self.events.append("unsealed")

    async def _on_sealing(self):
        assert not self.keeper.is_sealed
        self.events.append("sealing")

    async def _discard(self, token):
        self.discarded.append(token)

    async def ask(self, method, path, body=None):
        return await answer(self.keeper, method, "sys/" + path, body)

    async def init(self, shares=5, threshold=3, **more):
        return await self.ask("PUT", "init", {"secret_shares": shares, "secret_threshold": threshold, **more})

    async def unseal(self, *keys):
        status = {}
        for key in keys:
            status = await self.ask("PUT", "unseal", {"key": key})
        return status

    async def write(self, value):
        with self.store.barrier.view("logical/x/").transaction() as tx:
            tx.put("secret", value)
        await tx.commit()

    def read(self):
        return self.store.barrier.view("logical/x/").get("secret")
