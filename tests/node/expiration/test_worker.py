import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.token_house import DAY, LIMITS, TokenHouse

from strongroom_node.expiration import worker as worker_module
from strongroom_node.expiration.lease import Lease, encode_lease
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.response import Response, Secret


async def test_what_has_ended_is_swept_and_the_next_end_told(house):
    _, entry = await house.token(ttl=DAY)
    first = (await house.lease(entry, ttl=100)).secret.lease_id
    second = (await house.lease(entry, ttl=200)).secret.lease_id
    next_at = await house.worker.sweep()
    assert next_at == pytest.approx(house.clock() + 100, abs=0.002)
    house.clock.pass_(100)
    await house.worker.sweep()
    assert house.revoked == [first]
    house.clock.pass_(100)
    await house.worker.sweep()
    assert house.revoked == [first, second]


async def test_an_ended_token_takes_its_leases_along(house):
    _, entry = await house.token(ttl=50)
    _, child = await house.token(entry, ttl=5000)
    lease_ids = {(await house.lease(owner)).secret.lease_id for owner in (entry, child)}
    house.clock.pass_(50)
    await house.worker.sweep()
    assert set(house.revoked) == lease_ids
    assert house.records() == []


async def test_a_new_process_goes_on_at_once(house):
    _, entry = await house.token(ttl=DAY)
    for _ in range(5):
        await house.lease(entry, ttl=10)
    house.clock.pass_(11)
    house.attach()
    await house.worker.sweep()
    assert len(house.revoked) == 5


async def test_a_failing_revocation_is_tried_six_times_then_given_up(house):
    _, entry = await house.token(ttl=DAY)
    lease_id = (await house.lease(entry, ttl=10)).secret.lease_id
    house.failing[lease_id] = RuntimeError("role does not exist")
    house.clock.pass_(10.002)
    tries = []
    for _ in range(20):
        next_at = await house.worker.sweep()
        lease = house.leases.get(lease_id)
        if lease.is_irrevocable:
            break
        tries.append(round(next_at - house.clock()))
        house.clock.at = next_at
        house.attach()  # the count is in the store, not in the process
    assert tries == [10, 20, 40, 80, 160]
    assert lease.attempts == 6
    assert "role does not exist" in lease.error
    house.clock.pass_(10_000)
    assert await house.worker.sweep() is not None  # the token's own end
    assert house.leases.irrevocable()[0].id == lease_id


async def test_a_lease_that_works_again_is_revoked(house):
    _, entry = await house.token(ttl=DAY)
    lease_id = (await house.lease(entry, ttl=10)).secret.lease_id
    house.failing[lease_id] = RuntimeError("away")
    house.clock.pass_(11)
    await house.worker.sweep()
    house.failing.clear()
    house.clock.pass_(11)
    await house.worker.sweep()
    assert house.revoked == [lease_id]
    assert house.leases.get(lease_id) is None


async def test_a_mount_that_does_not_answer_does_not_hold_up_the_others(house, monkeypatch):
    monkeypatch.setattr(worker_module, "REVOCATION_SECONDS_MAX", 0.01)
    monkeypatch.setattr(worker_module, "BATCH", 4)
    monkeypatch.setattr(worker_module, "REVOCATIONS_AT_ONCE", 1)
    slow = Mount(uuid="u2", path="slow/", type="fake", accessor="slow_1")
    _, entry = await house.token(ttl=DAY)
    for _ in range(10):
        await house.lease(entry, path="slow/x", mount=slow, ttl=10)
    quick = [(await house.lease(entry, ttl=20)).secret.lease_id for _ in range(3)]
    called = []

    async def revoke(lease):
        if lease.mount == "slow/":
            called.append(lease.id)
            await asyncio.Event().wait()
        house.revoked.append(lease.id)

    house.leases._revoke_secret = revoke
    house.clock.pass_(21)
    await house.worker.sweep()
    assert sorted(house.revoked) == sorted(quick)
    assert len(called) == 1
    assert sum(house.leases.get(f"slow/x/{name}").attempts for name in house.leases.list_page("slow/x")) == 1


async def test_stale_entries_are_forgotten(house):
    _, entry = await house.token(ttl=DAY)
    lease_id = (await house.lease(entry, ttl=DAY)).secret.lease_id
    with house.index.view.transaction() as tx:
        house.index.set_due(tx, "gone/x", 0.0, 5.0)
        house.index.set_due(tx, "gone/y", 0.0, 6.0, "hgone")
        house.index.set_due(tx, lease_id, 0.0, 7.0)
        house.index.set_due(tx, entry.lease_id, 0.0, 8.0, entry.key)
    await tx.commit()
    await house.worker.sweep()
    assert house.revoked == []
    assert house.tokens.stored(entry.key) is not None
    assert len(house.index.page(10)) == 2


async def test_it_wakes_when_an_earlier_end_is_registered(house):
    _, entry = await house.token(ttl=DAY)
    done = asyncio.Event()

    async def revoke(lease):
        house.revoked.append(lease.id)
        done.set()

    house.leases._revoke_secret = revoke
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(house.worker.run())
        await asyncio.sleep(0)
        response = await house.lease(entry, ttl=100)
        await house.leases.revoke_later(response.secret.lease_id)
        await done.wait()
        done.clear()
        second = await house.lease(entry, ttl=100)
        await asyncio.sleep(0)
        await house.tokens.revoke(entry.key)
        await done.wait()
        task.cancel()
    assert house.revoked == [response.secret.lease_id, second.secret.lease_id]


async def test_it_wakes_for_an_end_that_was_announced_before_it_was_committed(house):
    _, entry = await house.token(ttl=DAY)
    done = asyncio.Event()

    async def revoke(lease):
        done.set()

    house.leases._revoke_secret = revoke
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(house.worker.run())
        await asyncio.sleep(0)
        await house.lease(entry, ttl=0.05)
        await asyncio.sleep(0)
        house.clock.pass_(1)
        await done.wait()
        task.cancel()


async def test_it_rests_while_the_store_refuses(house):
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        house.barrier.seal()
        task = group.create_task(house.worker.run())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()


async def test_tidying_runs_in_the_background_once(house):
    _, entry = await house.token(ttl=DAY)
    lease_id = (await house.lease(entry)).secret.lease_id
    with house.index.view.transaction() as tx:
        tx.put("token/hgone/abc", b"gone/x")
        tx.put("id/auth/gone/hgone", house_token_lease())
        tx.at(house.tokens.view).delete("id/" + entry.key)
    await tx.commit()
    assert house.worker.start_tidy("leases")
    assert not house.worker.start_tidy("leases")
    assert house.worker.start_tidy("tokens")
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(house.worker.run())
        while any(not key.startswith("lease/due/") for key in house.records()):
            await asyncio.sleep(0.001)
        task.cancel()
    assert house.revoked == [lease_id]
    house.clock.pass_(DAY)
    await house.worker.sweep()
    assert house.records() == []
    assert house.worker.start_tidy("leases")


def house_token_lease():
    return encode_lease(Lease(id="auth/gone/hgone", path="auth/gone", token="hgone"))


async def test_memory_is_one_page_whatever_is_due(house, monkeypatch):
    monkeypatch.setattr(worker_module, "BATCH", 16)
    for _ in range(100):
        await house.token(ttl=10)
    pages = []
    original = house.index.page

    def page(limit):
        pages.append(limit)
        return original(limit)

    house.index.page = page
    house.clock.pass_(11)
    await house.worker.sweep()
    assert house.records() == []
    assert set(pages) == {17}


actions = st.lists(
    st.tuples(
        st.sampled_from(["lease", "lease", "renew", "revoke", "later", "pass", "sweep", "token"]), st.integers(1, 60)
    ),
    max_size=30,
)


@settings(max_examples=25)
@given(actions)
def test_the_leases_are_as_the_model(plan):
    asyncio.run(compare(plan))


async def compare(plan):
    """The model: a lease lives until its end was seen by a sweep, or it was revoked."""
    house = await TokenHouse.open()
    _, entry = await house.token(ttl=10 * DAY)
    ends, gone = {}, set()

    def swept():
        gone.update(lease_id for lease_id, end in ends.items() if end + 0.002 <= house.clock())

    try:
        for what, number in plan:
            living = sorted(set(ends) - gone)
            chosen = living[number % len(living)] if living else None
            if what == "lease":
                ends[(await house.lease(entry, ttl=number)).secret.lease_id] = house.clock() + number
            elif what == "pass":
                house.clock.pass_(number + 0.01)
            elif what == "sweep":
                await house.worker.sweep()
                swept()
            elif what == "token":
                await house.token(ttl=number)
            elif chosen is not None and what == "renew" and ends[chosen] > house.clock():
                await house.leases.renew(chosen, number, renewing, lambda _: LIMITS)
                ends[chosen] = house.clock() + number
            elif chosen is not None and what == "revoke":
                await house.leases.revoke(chosen)
                gone.add(chosen)
            elif chosen is not None and what == "later":
                await house.leases.revoke_later(chosen)
                ends[chosen] = 0.0
            assert {lease_id for lease_id in ends if house.leases.get(lease_id) is not None} == set(ends) - gone
        assert sorted(house.revoked) == sorted(gone)
    finally:
        await house.close()


async def renewing(lease, increment):
    return Response(secret=Secret(kind="creds", ttl=600.0))


async def test_a_record_that_cannot_be_read_does_not_keep_the_others_waiting(house):
    _, broken = await house.token(ttl=10)
    _, parent = await house.token(ttl=10)
    _, child = await house.token(parent, ttl=DAY)
    _, owner = await house.token(ttl=DAY)
    damaged = (await house.lease(owner, ttl=10)).secret.lease_id
    good = (await house.lease(owner, ttl=10)).secret.lease_id
    _, ends = await house.token(ttl=10)
    with house.barrier.view("").transaction() as tx:
        for key in (f"token/id/{broken.key}", f"token/id/{child.key}", f"lease/id/{damaged}"):
            tx.put(key, b"\xff")
    await tx.commit()
    house.clock.pass_(11)
    next_at = await house.worker.sweep()
    assert next_at > house.clock() + 60
    assert house.revoked == [good]
    assert house.tokens.stored(ends.key) is None


def test_what_is_stored_prints_without_secrets(house):
    assert "s3cret" not in repr(Lease(id="x", path="x", internal={"password": "s3cret"}))
