"""Unsealing and sealing, as an operator does it and as an attacker tries to."""

import asyncio
import base64

import pytest
from support.house import STATIC, House, forged_beside

from strongroom_node.core.ceremonies.custody import RECOVERY_KEY_PATH, ROOT_KEY_PATH
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage.seal.errors import SealConfigInvalid, SealUnavailable, UnwrapFailed

SEALED = {
    "type": "shamir",
    "initialized": True,
    "sealed": True,
    "t": 3,
    "n": 5,
    "progress": 0,
    "nonce": "",
    "version": "1.15.2",
    "build_date": "2023-11-06T11:33:28Z",
    "migration": False,
    "recovery_seal": False,
    "storage_type": "inmem",
}


async def test_the_status_has_exactly_vaults_fields(house):
    empty = {**SEALED, "initialized": False, "t": 0, "n": 0}
    assert await house.ask("GET", "seal-status") == empty
    made = await house.init()
    assert await house.ask("GET", "seal-status") == SEALED
    await house.unseal(*made["keys"][:3])
    assert await house.ask("GET", "seal-status") == {
        **SEALED,
        "sealed": False,
        "cluster_name": "vault-cluster-1",
        "cluster_id": "id-1",
    }


async def test_any_three_of_five_open_and_what_was_written_is_there(opened):
    await opened.write(b"kept")
    await opened.keeper.seal()
    assert opened.events[-1] == "sealing"
    first = await opened.unseal(opened.keys[4])
    assert (first["progress"], len(first["nonce"])) == (1, 36)
    again = await opened.unseal(opened.keys[4])
    assert again == first
    second = await opened.unseal(base64.b64encode(bytes.fromhex(opened.keys[0])).decode())
    assert (second["progress"], second["nonce"]) == (2, first["nonce"])
    last = await opened.unseal(opened.keys[2].upper())
    assert (last["sealed"], last["progress"], last["nonce"]) == (False, 0, "")
    assert opened.read() == b"kept"


async def test_reset_begins_again(house):
    keys = (await house.init())["keys"]
    before = await house.unseal(keys[0])
    assert (await house.ask("PUT", "unseal", {"reset": True, "key": keys[1]}))["progress"] == 0
    after = await house.unseal(keys[0])
    assert after["progress"] == 1
    assert after["nonce"] != before["nonce"]


async def test_two_of_three_do_not_open_whatever_the_third_is(house):
    keys = (await house.init())["keys"]
    moved = keys[2][:-2] + ("fe" if keys[2].endswith("ff") else "ff")
    for forged in ("11" * 33, "11" * 32 + "00", moved, keys[2][:-2], "00" * 33):
        with pytest.raises(BadRequest):
            await house.unseal(keys[0], keys[1], forged)
        status = await house.ask("GET", "seal-status")
        assert (status["sealed"], status["progress"], status["nonce"]) == (True, 0, "")
    assert "unsealed" not in house.events[3:]


async def test_shares_of_two_clusters_do_not_mix(house):
    other = House()
    await other.store.start()
    foreign = (await other.init())["keys"]
    await other.store.close()
    keys = (await house.init())["keys"]
    with pytest.raises(BadRequest):
        await house.unseal(keys[0], keys[1], foreign[2])
    with pytest.raises(BadRequest, match=r"message authentication failed|duplicate part"):
        await house.unseal(*foreign[:3])
    assert house.keeper.is_sealed
    assert (await house.unseal(*keys[:3]))["sealed"] is False


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'key' must be specified in request body as JSON, or 'reset' set to true"),
        ({"key": None}, "'key' must be specified in request body as JSON, or 'reset' set to true"),
        ({"key": ""}, "'key' must be specified in request body as JSON, or 'reset' set to true"),
        ({"key": 5}, "failed to decode JSON input: "),
        ({"key": "zz"}, "'key' must be a valid hex or base64 string"),
        ({"key": "AAAA"}, "invalid key: key is shorter than minimum 16 bytes"),
        ({"key": "00" * 34}, "invalid key: key is longer than maximum 33 bytes"),
        ({"key": "00" * 1_000_000}, "key is longer than maximum 33 bytes"),
        ({"key": "00" * 33, "migrate": True}, "seal migration is not supported"),
        ([1], "failed to decode JSON input: "),
        ("text", "failed to decode JSON input: "),
    ],
)
async def test_what_is_no_share_is_refused_and_not_counted(house, body, message):
    await house.init()
    with pytest.raises(BadRequest) as refused:
        await house.ask("PUT", "unseal", body)
    assert refused.value.messages[0].startswith(message)
    assert (await house.ask("GET", "seal-status"))["progress"] == 0


async def test_before_init_and_after_unseal(house):
    with pytest.raises(BadRequest, match=r"^Vault is not initialized$"):
        await house.unseal("00" * 33)
    assert (await house.ask("PUT", "unseal", {"reset": True}))["initialized"] is False
    keys = (await house.init(1, 1))["keys"]
    await house.unseal(keys[0])
    assert (await house.unseal("11" * 33))["sealed"] is False
    with pytest.raises(BadRequest, match="vault is unsealed"):
        await house.ask("PUT", "unseal", {"reset": True})


async def test_shares_given_at_the_same_moment_unseal_once(house):
    keys = (await house.init())["keys"]
    house.events.clear()
    await asyncio.gather(*(house.unseal(key) for key in keys for _ in range(3)))
    assert house.events == ["unsealed"]


async def test_a_core_that_cannot_start_leaves_the_barrier_closed(house):
    keys = (await house.init(1, 1))["keys"]
    house.fail_next = RuntimeError("broken mount table")
    with pytest.raises(RuntimeError):
        await house.unseal(keys[0])
    assert house.keeper.is_sealed
    assert (await house.unseal(keys[0]))["sealed"] is False


async def test_sealing_forgets_half_done_ceremonies(opened):
    await opened.ask("PUT", "rekey/init", {"secret_shares": 1, "secret_threshold": 1})
    await opened.ask("PUT", "generate-root/attempt", {})
    await opened.keeper.seal()
    await opened.keeper.seal()
    assert opened.events.count("sealing") == 2  # one of them within init
    await opened.unseal(*opened.keys[:3])
    assert (await opened.ask("GET", "rekey/init"))["started"] is False
    assert (await opened.ask("GET", "generate-root/attempt"))["started"] is False


async def test_stop_closes_without_asking_the_core(opened):
    before = list(opened.events)
    await opened.keeper.stop()
    assert opened.keeper.is_sealed
    assert opened.events == before


async def test_nothing_secret_is_printed(opened):
    for thing in (opened.keeper, opened.seal, opened.keeper.rekey, opened.keeper.generate_root):
        assert not any(key[:16] in repr(thing) for key in opened.keys)


# Seals that open by themselves


async def test_a_node_with_a_static_seal_opens_at_its_start(opened_static):
    await opened_static.write(b"kept")
    opened_static.store.barrier.seal()
    again = House("static", STATIC, opened_static.store)
    await again.keeper.start()
    assert not again.keeper.is_sealed
    assert again.read() == b"kept"
    assert again.events == ["unsealed"]


async def test_start_before_init_or_with_shares_waits_for_operators(house, static_house):
    await static_house.keeper.start()
    await house.keeper.start()
    await house.init()
    await house.keeper.start()
    assert house.keeper.is_sealed
    assert static_house.keeper.is_sealed


async def test_recovery_keys_reopen_what_an_operator_sealed_and_only_with_the_seal(opened_static):
    await opened_static.keeper.seal()
    with pytest.raises(BadRequest, match="recovery key does not match"):
        await opened_static.unseal(opened_static.keys[0], forged_beside(opened_static.keys[0]))
    assert opened_static.keeper.is_sealed
    assert (await opened_static.unseal(*opened_static.keys[:2]))["sealed"] is False
    opened_static.store.barrier.seal()
    stranger = House("static", {**STATIC, "current_key": "22" * 32}, opened_static.store)
    with pytest.raises(BadRequest):
        await stranger.unseal(*opened_static.keys[:2])
    with pytest.raises(UnwrapFailed):
        await stranger.keeper.start()
    assert stranger.keeper.is_sealed


async def test_without_recovery_keys_no_share_opens(static_house):
    await static_house.ask("PUT", "init", {})
    await static_house.keeper.seal()
    with pytest.raises(BadRequest, match="no recovery key found"):
        await static_house.unseal("11" * 32)
    assert static_house.keeper.is_sealed


async def test_the_previous_key_opens_and_the_current_one_takes_over(opened_static):
    store = opened_static.store
    store.barrier.seal()
    rotated = {"current_key_id": "k2", "current_key": "22" * 32}
    both = House("static", {**rotated, "previous_key_id": "k1", "previous_key": "11" * 32}, store)
    await both.keeper.start()
    assert not both.keeper.is_sealed
    store.barrier.seal()
    only_new = House("static", rotated, store)
    await only_new.keeper.start()
    assert not only_new.keeper.is_sealed
    await only_new.keeper.seal()
    assert (await only_new.unseal(*opened_static.keys[:2]))["sealed"] is False
    store.barrier.seal()
    with pytest.raises(UnwrapFailed, match="neither current nor previous"):
        await House("static", STATIC, store).keeper.start()


async def test_wrapped_keys_cannot_change_places(opened_static):
    barrier = opened_static.store.barrier
    root, recovery = barrier.get_plain(ROOT_KEY_PATH), barrier.get_plain(RECOVERY_KEY_PATH)
    await barrier.put_plain({ROOT_KEY_PATH: recovery, RECOVERY_KEY_PATH: root})
    barrier.seal()
    with pytest.raises(UnwrapFailed, match="for another use"):
        await opened_static.keeper.start()
    assert opened_static.keeper.is_sealed


async def test_another_kind_of_seal_is_refused_by_name(opened, opened_static):
    for kind, settings, store in (("static", STATIC, opened.store), ("shamir", {}, opened_static.store)):
        with pytest.raises(SealConfigInvalid, match="seal migration is not supported"):
            await House(kind, settings, store).keeper.start()


async def test_a_seal_that_is_away_delays_the_start(opened_static):
    opened_static.store.barrier.seal()
    house = House("static", STATIC, opened_static.store)
    unwrap, waits = house.seal.unwrap, []

    async def away(_blob):
        raise SealUnavailable("connection refused")

    async def pause(seconds):
        waits.append(seconds)
        if len(waits) == 7:
            house.seal.unwrap = unwrap

    house.seal.unwrap = away
    await house.keeper.start(pause)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert not house.keeper.is_sealed
