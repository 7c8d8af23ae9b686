import asyncio

import pytest
from support.token_house import LIMITS

from strongroom_node.sdk.errors import BadRequest, PermissionDenied
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.response import Response, Secret
from strongroom_node.tokens.ttl import Limits


async def renewing(lease, increment):
    return Response(secret=Secret(kind="creds", ttl=600.0))


async def test_a_secret_gets_a_lease_below_its_path(house):
    _, entry = await house.token()
    response = await house.lease(entry)
    lease_id = response.secret.lease_id
    assert lease_id.startswith("db/creds/app/")
    assert len(lease_id.rpartition("/")[2]) == 24
    lease = house.leases.get(lease_id)
    assert (lease.ttl, lease.expire_time - house.clock(), lease.renewable) == (600.0, 600.0, True)
    assert house.leases.list_page("db/creds") == ["app/"]
    assert house.leases.list_page("db/creds/app/") == [lease_id.rpartition("/")[2]]


async def test_too_long_a_secret_is_cut_with_a_warning(house):
    _, entry = await house.token()
    response = await house.lease(entry, limits=Limits(60, 120), ttl=600)
    assert response.secret.ttl == 120
    assert "capped accordingly" in response.warnings[0]
    assert (await house.lease(entry, limits=Limits(60, 120), ttl=0)).secret.ttl == 60


async def test_a_token_that_went_meanwhile_gets_no_lease(house):
    _, entry = await house.token()
    await house.tokens.revoke(entry.key)
    with pytest.raises(PermissionDenied):
        await house.lease(entry)
    assert house.records() == []


async def test_the_last_use_of_a_token_may_lease_and_then_takes_it_along(house):
    _, entry = await house.token(num_uses=1)
    used = await house.tokens.use(entry)
    response = await house.lease(used)
    await house.tokens.used_up(used)
    await house.worker.sweep()
    assert house.revoked == [response.secret.lease_id]
    assert house.records() == []


async def test_a_batch_tokens_secret_does_not_outlive_it_nor_its_parent(house):
    _, parent = await house.token()
    _, entry = await house.token(parent, type="batch", ttl=100)
    response = await house.lease(entry)
    assert response.secret.ttl == 100
    house.clock.pass_(50)
    renewed = await house.leases.renew(response.secret.lease_id, 600, renewing, lambda _: LIMITS)
    assert renewed.secret.ttl == 50
    await house.tokens.revoke(parent.key)
    await house.worker.sweep()
    assert house.revoked == [response.secret.lease_id]


async def test_renewal_counts_from_now_and_not_past_the_maximum(house):
    _, entry = await house.token()
    lease_id = (await house.lease(entry, max_ttl=1000)).secret.lease_id
    house.clock.pass_(500)
    renewed = await house.leases.renew(lease_id, 100, renewing, lambda _: LIMITS)
    assert renewed.secret.ttl == 100
    assert house.leases.get(lease_id).last_renewal == house.clock()
    renewed = await house.leases.renew(lease_id, 0, renewing, lambda _: LIMITS)
    assert renewed.secret.ttl == 500
    assert len(house.index.page(10)) == 2
    house.clock.pass_(499.5)
    renewed = await house.leases.renew(lease_id, 0, renewing, lambda _: LIMITS)
    assert 0 < house.leases.get(lease_id).expire_time - house.clock() <= 0.5
    house.clock.pass_(0.5)
    with pytest.raises(BadRequest, match="lease expired"):
        await house.leases.renew(lease_id, 0, renewing, lambda _: LIMITS)


@pytest.mark.parametrize("lease_id", ["nothing/here", "", "/", "a/../b", "x" * 600, "a//"])
async def test_an_unknown_lease(house, lease_id):
    assert house.leases.get(lease_id) is None
    await house.leases.revoke(lease_id)
    with pytest.raises(BadRequest, match="lease not found"):
        await house.leases.renew(lease_id, 0, renewing, lambda _: LIMITS)


async def test_what_is_not_renewable(house):
    _, entry = await house.token()
    lease_id = (await house.lease(entry, renewable=False)).secret.lease_id
    with pytest.raises(BadRequest, match="lease is not renewable"):
        await house.leases.renew(lease_id, 0, renewing, lambda _: LIMITS)
    with pytest.raises(BadRequest, match="tokens cannot be renewed through this endpoint"):
        await house.leases.renew(entry.lease_id, 0, renewing, lambda _: LIMITS)


async def test_a_tokens_lease_shows_the_tokens_times_and_revokes_it(house):
    token, entry = await house.token(ttl=100)
    lease = house.leases.get(entry.lease_id)
    assert (lease.issue_time, lease.expire_time, lease.renewable) == (entry.creation_time, entry.expire_time, True)
    await house.leases.revoke(entry.lease_id)
    assert house.tokens.lookup(token) is None
    assert house.leases.get(entry.lease_id) is None
    assert house.records() == []


async def test_revoking_takes_the_secret_back_and_a_failure_keeps_the_lease(house):
    _, entry = await house.token()
    lease_id = (await house.lease(entry)).secret.lease_id
    house.failing[lease_id] = RuntimeError("database is away")
    with pytest.raises(RuntimeError):
        await house.leases.revoke(lease_id)
    assert house.leases.get(lease_id) is not None
    await house.leases.revoke(lease_id, force=True)
    assert house.leases.get(lease_id) is None
    assert house.revoked == []
    second = (await house.lease(entry)).secret.lease_id
    await house.leases.revoke(second)
    assert house.revoked == [second]


async def test_a_secret_is_not_taken_back_twice_at_once(house):
    _, entry = await house.token()
    lease_id = (await house.lease(entry)).secret.lease_id
    started, go, running = asyncio.Event(), asyncio.Event(), []

    async def slow(lease):
        running.append(lease.id)
        assert len(running) == 1
        started.set()
        await go.wait()
        running.clear()
        house.revoked.append(lease.id)

    house.leases._revoke_secret = slow
    first = asyncio.ensure_future(house.leases.revoke(lease_id))
    await started.wait()
    others = [asyncio.ensure_future(house.leases.revoke(lease_id)) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(first, *others)
    assert house.revoked[0] == lease_id
    assert house.leases.get(lease_id) is None


async def test_a_prefix_ends_at_a_slash(house):
    _, entry = await house.token()
    ann = (await house.lease(entry, path="db/creds/ann")).secret.lease_id
    anna = (await house.lease(entry, path="db/creds/anna")).secret.lease_id
    await house.leases.revoke_prefix("db/creds/ann")
    assert house.revoked == [ann]
    assert house.leases.get(anna) is not None
    await house.leases.revoke_prefix(anna)
    assert house.revoked == [ann, anna]


async def test_a_prefix_takes_tokens_and_secrets_a_page_at_a_time(house, monkeypatch):
    monkeypatch.setattr("strongroom_node.expiration.leases.PAGE", 4)
    _, entry = await house.token()
    logins = [await house.token(path="auth/u/login/ann") for _ in range(9)]
    leases = [(await house.lease(entry)).secret.lease_id for _ in range(9)]
    await house.leases.revoke_prefix("auth/u/")
    assert all(house.tokens.lookup(token) is None for token, _ in logins)
    await house.leases.revoke_prefix("db", sync=False)
    assert house.revoked == []
    await house.worker.sweep()
    assert sorted(house.revoked) == sorted(leases)


async def test_a_failing_prefix_stops_unless_forced(house):
    _, entry = await house.token()
    for _ in range(3):
        await house.lease(entry)
    house.failing["db/"] = RuntimeError("away")
    with pytest.raises(RuntimeError):
        await house.leases.revoke_prefix("db")
    assert len(house.leases.list_page("db/creds/app")) == 3
    await house.leases.revoke_prefix("db", force=True)
    assert house.leases.list_page("db/creds/app") == []


async def test_irrevocable_leases_are_counted_by_mount_and_dropped_by_force(house):
    _, entry = await house.token()
    other = Mount(uuid="u2", path="pki/", type="pki", accessor="pki_1")
    mine = [(await house.lease(entry)).secret.lease_id for _ in range(2)]
    theirs = (await house.lease(entry, path="pki/issue", mount=other)).secret.lease_id
    for _ in range(6):
        for lease_id in (*mine, theirs):
            await house.leases.failed(lease_id, "x" * 10_000)
    assert house.leases.count_irrevocable() == {"fake_1234": 2, "pki_1": 1}
    assert {lease.id for lease in house.leases.irrevocable()} == {*mine, theirs}
    assert len(house.leases.irrevocable(1)) == 1
    assert len(house.leases.irrevocable()[0].error) <= 512
    house.clock.pass_(10**6)
    await house.worker.sweep()
    assert house.revoked == []
    await house.leases.revoke_prefix("db", force=True)
    await house.leases.revoke_later(theirs)
    await house.worker.sweep()
    assert house.leases.count_irrevocable() == {}
    assert theirs in house.revoked
    assert house.records() == []
