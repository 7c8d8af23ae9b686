import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.token_house import TokenHouse

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.tokens import revocation


async def tree(house, parents):
    """Tokens whose i-th has the parent `parents[i]` (an index, or None)."""
    made = []
    for parent in parents:
        made.append(await house.token(None if parent is None else made[parent][1]))
    return made


def alive(house, made):
    return [number for number, (token, _) in enumerate(made) if house.tokens.lookup(token) is not None]


async def test_children_go_along_and_others_stay(house):
    made = await tree(house, [None, 0, 1, None, 0])
    await house.tokens.revoke(made[0][1].key)
    assert alive(house, made) == [3]
    assert len(house.records()) == len(await_records(house, 1))


def await_records(house, tokens):
    # an orphan has: id, accessor, lease, due
    return range(4 * tokens)


async def test_revoke_orphan_spares_the_children(house):
    made = await tree(house, [None, 0, 1, 0])
    await house.tokens.revoke_orphan(made[0][1].key)
    assert alive(house, made) == [1, 2, 3]
    assert [house.tokens.lookup(token).is_orphan for token, _ in made[1:]] == [True, False, True]


async def test_cubbyhole_and_leases_go_with_the_token(house):
    _, entry = await house.token()
    await house.lease(entry)
    with house.barrier.view("cubbyhole/").transaction() as tx:
        for number in range(600):
            tx.put(f"{entry.key}/{number}", b"x")
    await tx.commit()
    await house.tokens.revoke(entry.key)
    assert [key for key in house.records() if not key.startswith("lease/")] == []
    await house.worker.sweep()
    assert house.records() == []
    assert len(house.revoked) == 1


async def test_many_leases_and_children_take_many_small_transactions(house, monkeypatch):
    monkeypatch.setattr(revocation, "STEPS_MAX", 5)
    made = await tree(house, [None] + [0] * 23 + [5] * 7)
    for _ in range(12):
        await house.lease(made[3][1])
    await house.tokens.revoke(made[0][1].key)
    assert alive(house, made) == []
    await house.worker.sweep()
    assert house.records() == []


async def test_a_chain_deeper_than_the_stack_of_calls(house, monkeypatch):
    monkeypatch.setattr(revocation, "STEPS_MAX", 64)
    made = await tree(house, [None, *range(1500)])
    await house.tokens.revoke(made[0][1].key)
    assert house.records() == []


@pytest.mark.parametrize("how", ["revoke", "revoke_orphan"])
async def test_a_revocation_that_was_cut_off_is_carried_on_by_the_next_node(house, monkeypatch, how):
    monkeypatch.setattr(revocation, "STEPS_MAX", 4)
    made = await tree(house, [None] + [0] * 10)
    commits = 0

    async def fail_second(tx):
        nonlocal commits
        commits += 1
        if commits == 2:
            raise asyncio.CancelledError
        return await original(tx)

    from strongroom_storage.transaction import Transaction

    original = Transaction.commit
    monkeypatch.setattr(Transaction, "commit", fail_second)
    with pytest.raises(asyncio.CancelledError):
        await getattr(house.tokens, how)(made[0][1].key)
    monkeypatch.setattr(Transaction, "commit", original)
    await asyncio.sleep(0)
    assert house.tokens.lookup(made[0][0]) is None
    with pytest.raises(BadRequest):
        await house.token(made[0][1])
    house.attach()
    await house.worker.sweep()
    assert alive(house, made) == ([] if how == "revoke" else list(range(1, 11)))
    if how == "revoke":
        assert house.records() == []


async def test_a_child_made_while_its_parent_goes_is_refused_or_goes_too(house, monkeypatch):
    monkeypatch.setattr(revocation, "STEPS_MAX", 3)
    made = await tree(house, [None] + [0] * 9)

    async def breed(entry):
        return await house.token(entry)

    results = await asyncio.gather(
        house.tokens.revoke(made[0][1].key), *(breed(entry) for _, entry in made), return_exceptions=True
    )
    for result in results[1:]:
        if isinstance(result, Exception):
            assert isinstance(result, BadRequest)
        else:
            assert house.tokens.lookup(result[0]) is None
    assert house.records() == []


async def test_dangling_index_entries_do_not_stop_a_revocation_and_are_tidied(house):
    made = await tree(house, [None, 0])
    with house.tokens.view.transaction() as tx:
        tx.put(f"parent/{made[0][1].key}/hghost", b"")
        tx.put("parent/hghost/hghost2", b"")
        tx.delete(f"id/{made[1][1].key}")
        tx.at(house.barrier.view("cubbyhole/")).put("hghost/x", b"1")
    await tx.commit()
    await house.tokens.revoke(made[0][1].key)
    assert await house.tokens.tidy() == 1
    assert [key for key in house.records() if not key.startswith("lease/")] == []


async def test_tidy_leaves_what_is_sound(house):
    made = await tree(house, [None, 0])
    with house.barrier.view("cubbyhole/").transaction() as tx:
        tx.put(f"{made[1][1].key}/x", b"1")
    await tx.commit()
    before = house.records()
    assert await house.tokens.tidy() == 0
    assert house.records() == before


steps = st.lists(
    st.tuples(st.sampled_from(["make", "make", "make", "revoke", "orphan"]), st.integers(0, 40)), max_size=25
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers(1, 8))
def test_the_tree_is_as_the_model(plan, steps_max):
    asyncio.run(compare(plan, steps_max))


async def compare(plan, steps_max):
    house = await TokenHouse.open()
    before, revocation.STEPS_MAX = revocation.STEPS_MAX, steps_max
    parents, made, living = {}, [], set()
    try:
        for what, number in plan:
            chosen = number % (len(made) + 1) - 1
            if what == "make":
                parent = chosen if chosen in living else None
                parents[len(made)] = parent
                living.add(len(made))
                made.append(await house.token(None if parent is None else made[parent][1]))
            elif chosen >= 0 and what == "revoke":
                await house.tokens.revoke(made[chosen][1].key)
                gone = {chosen} if chosen in living else set()
                while more := {n for n in living - gone if parents[n] in gone}:
                    gone |= more
                living -= gone
            elif chosen >= 0:
                await house.tokens.revoke_orphan(made[chosen][1].key)
                living.discard(chosen)
                parents = {n: None if p == chosen else p for n, p in parents.items()}
            assert set(alive(house, made)) == living
        assert len(house.records()) == 4 * len(living) + sum(parents[n] is not None for n in living)
    finally:
        revocation.STEPS_MAX = before
        await house.close()
