from strongroom_node.expiration.index import due_key
from strongroom_node.expiration.lease import Lease, decode_lease, encode_lease


async def test_the_listener_hears_of_every_entry(house):
    heard = []
    house.index.listen(heard.append)
    _, entry = await house.token(ttl=50)
    assert heard == [entry.expire_time]
    house.index.wake()
    assert heard[-1] < house.clock()
    house.index.listen(None)
    await house.token(ttl=50)
    assert len(heard) == 2


async def test_entries_stand_in_the_order_of_time(house):
    for ttl in (50, 10, 30):
        await house.token(ttl=ttl)
    times = [due.at - house.clock() for due in house.index.page(10)]
    assert [round(time) for time in times] == [10, 30, 50]
    assert len(house.index.page(2)) == 2


async def test_an_entry_moves_with_its_time(house):
    view = house.index.view
    with view.transaction() as tx:
        house.index.set_due(tx, "a/b", 0.0, 5.0, "hk")
        house.index.set_due(tx, "a/b", 5.0, 5.0, "hk")
    await tx.commit()
    assert view.walk("due") == [due_key(5.0, "a/b")]
    with view.transaction() as tx:
        house.index.set_due(tx, "a/b", 5.0, 7.0, "hk")
    await tx.commit()
    assert view.walk("due") == [due_key(7.0, "a/b")]
    with view.transaction() as tx:
        house.index.set_due(tx, "a/b", 7.0, 0.0)
    await tx.commit()
    assert view.walk("due") == []


def test_a_lease_is_read_as_it_was_written():
    lease = Lease(id="a/b", path="a", token="h1", kind="creds", internal={"user": "u", "n": [1, {"x": None}]}, ttl=3.5)
    assert decode_lease(encode_lease(lease)) == lease
    assert not lease.is_token
    assert Lease(id="a/b", path="a", token="h1").is_token
