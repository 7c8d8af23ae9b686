"""Rekeying: nonces, wrong sets, verification, people with OpenPGP keys, recovery keys."""

import asyncio
import base64

import pytest
from support.house import forged_beside

from strongroom_node.sdk.errors import BadRequest, Sealed
from strongroom_storage.errors import LogBusy
from strongroom_storage.ticket import Ticket

IDLE = {
    "nonce": "",
    "started": False,
    "t": 0,
    "n": 0,
    "progress": 0,
    "required": 3,
    "pgp_fingerprints": None,
    "backup": False,
    "verification_required": False,
}


async def begin(house, shares=3, threshold=2, path="rekey", **more):
    return await house.ask("PUT", f"{path}/init", {"secret_shares": shares, "secret_threshold": threshold, **more})


async def give(house, nonce, *keys, step="rekey/update"):
    answer = {}
    for key in keys:
        answer = await house.ask("PUT", step, {"key": key, "nonce": nonce})
    return answer


async def test_new_shares_replace_the_old_ones(opened):
    await opened.write(b"kept")
    assert await opened.ask("GET", "rekey/init") == IDLE
    started = await begin(opened)
    assert started == {**IDLE, "nonce": started["nonce"], "started": True, "t": 2, "n": 3}
    assert len(started["nonce"]) == 36
    assert (await give(opened, started["nonce"], *opened.keys[:2]))["progress"] == 2
    done = await give(opened, started["nonce"], opened.keys[4])
    assert set(done) == {
        "nonce",
        "complete",
        "keys",
        "keys_base64",
        "pgp_fingerprints",
        "backup",
        "verification_required",
    }
    assert (done["complete"], len(done["keys"]), done["pgp_fingerprints"]) == (True, 3, None)
    assert await opened.ask("GET", "rekey/init") == {**IDLE, "required": 2}
    assert opened.read() == b"kept"
    await opened.keeper.seal()
    with pytest.raises(BadRequest):
        await opened.unseal(*opened.keys[:2])
    assert (await opened.unseal(*done["keys"][1:]))["sealed"] is False
    assert opened.read() == b"kept"


async def test_a_rekey_to_one_share_and_back(opened):
    one = await give(opened, (await begin(opened, 1, 1))["nonce"], *opened.keys[:3])
    assert len(bytes.fromhex(one["keys"][0])) == 32
    two = await give(opened, (await begin(opened, 2, 2))["nonce"], one["keys"][0])
    await opened.keeper.seal()
    assert (await opened.unseal(*two["keys"]))["sealed"] is False


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "invalid rekey seal configuration: shares must be at least one"),
        ({"secret_shares": 5}, "invalid rekey seal configuration: threshold must be at least one"),
        (
            {"secret_shares": 5, "secret_threshold": 1},
            "invalid rekey seal configuration: threshold must be greater than one for multiple shares",
        ),
        ({"secret_shares": 300, "secret_threshold": 2}, "invalid rekey seal configuration: shares must be less than"),
        ({"backup": True}, "cannot request a backup of the new keys without providing PGP keys for encryption"),
        (
            {"secret_shares": 2, "secret_threshold": 2, "pgp_keys": ["x"]},
            "incorrect number of PGP keys for rekey",
        ),
        (
            {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["YWJj"]},
            "invalid rekey seal configuration: error parsing given PGP key: ",
        ),
        ({"secret_shares": "1"}, "failed to decode JSON input: "),
    ],
)
async def test_bad_orders_are_refused(opened, body, message):
    with pytest.raises(BadRequest) as refused:
        await opened.ask("PUT", "rekey/init", body)
    assert refused.value.messages[0].startswith(message)
    assert await opened.ask("GET", "rekey/init") == IDLE


async def test_only_one_rekey_at_a_time_and_any_can_be_cancelled(opened):
    nonce = (await begin(opened))["nonce"]
    with pytest.raises(BadRequest, match="rekey already in progress"):
        await begin(opened)
    await give(opened, nonce, opened.keys[0])
    assert await opened.ask("DELETE", "rekey/init") is None
    assert await opened.ask("GET", "rekey/init") == IDLE
    assert await opened.ask("DELETE", "rekey/init") is None
    with pytest.raises(BadRequest, match="no barrier rekey in progress"):
        await give(opened, nonce, opened.keys[0])


async def test_the_nonce_of_another_rekey_is_refused(opened):
    old = (await begin(opened))["nonce"]
    await opened.ask("DELETE", "rekey/init")
    new = (await begin(opened))["nonce"]
    for nonce in ("", "x", old, None):
        with pytest.raises(BadRequest, match=f'incorrect nonce supplied; nonce for this rekey operation is "{new}"'):
            await give(opened, nonce, opened.keys[0])
    assert (await opened.ask("GET", "rekey/init"))["progress"] == 0


async def test_wrong_shares_begin_again_from_nothing(opened):
    nonce = (await begin(opened))["nonce"]
    for forged in (
        "11" * 33,
        opened.keys[2][:-2],
        opened.keys[2][:-2] + opened.keys[0][-2:],
        opened.keys[2][:-2] + "00",
    ):
        with pytest.raises(BadRequest):
            await give(opened, nonce, *opened.keys[:2], forged)
        assert (await opened.ask("GET", "rekey/init"))["progress"] == 0
    with pytest.raises(BadRequest, match="already been provided during this generation operation"):
        await give(opened, nonce, opened.keys[0], opened.keys[0])
    await opened.keeper.seal()
    assert (await opened.unseal(*opened.keys[:3]))["sealed"] is False


@pytest.mark.parametrize("step", ["rekey/update", "rekey/verify", "generate-root/update"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'key' must be specified in request body as JSON"),
        (None, "'key' must be specified in request body as JSON"),
        ({"key": "zz"}, "'key' must be a valid hex or base64 string"),
        ({"key": "AAAA"}, "key is shorter than minimum 16 bytes"),
        ({"key": "00" * 40}, "key is longer than maximum 33 bytes"),
        ({"key": {"a": 1}}, "failed to decode JSON input: "),
    ],
)
async def test_what_is_no_share_is_refused(opened, step, body, message):
    with pytest.raises(BadRequest) as refused:
        await opened.ask("PUT", step, body)
    assert refused.value.messages[0].startswith(message)


async def test_verification_keeps_the_old_shares_until_the_new_ones_came_back(opened):
    started = await begin(opened, 2, 2, require_verification=True)
    done = await give(opened, started["nonce"], *opened.keys[:3])
    nonce = done["verification_nonce"]
    assert (done["complete"], done["verification_required"]) == (True, True)
    assert (await opened.ask("GET", "rekey/init"))["verification_nonce"] == nonce
    assert await opened.ask("GET", "rekey/verify") == {"nonce": nonce, "started": True, "t": 2, "n": 2, "progress": 0}
    with pytest.raises(BadRequest, match="rekey operation already finished"):
        await give(opened, started["nonce"], opened.keys[0])
    with pytest.raises(BadRequest, match="rekey already in progress"):
        await begin(opened)
    with pytest.raises(BadRequest, match="incorrect nonce supplied; nonce for this verify operation"):
        await give(opened, started["nonce"], done["keys"][0], step="rekey/verify")
    assert (await give(opened, nonce, done["keys"][0], step="rekey/verify"))["progress"] == 1
    with pytest.raises(BadRequest, match="already been provided during this verify operation"):
        await give(opened, nonce, done["keys"][0], step="rekey/verify")
    with pytest.raises(BadRequest, match="rekey verification failed; incorrect key shares supplied"):
        await give(opened, nonce, forged_beside(done["keys"][0]), step="rekey/verify")
    again = (await opened.ask("GET", "rekey/verify"))["nonce"]
    assert again != nonce
    with pytest.raises(BadRequest, match="incorrect nonce"):
        await give(opened, nonce, done["keys"][0], step="rekey/verify")
    third = (await opened.ask("DELETE", "rekey/verify"))["nonce"]
    assert third not in {again, nonce}
    assert (await opened.ask("GET", "seal-status"))["t"] == 3
    last = await give(opened, third, *done["keys"], step="rekey/verify")
    assert last == {"nonce": third, "complete": True}
    assert (await opened.ask("GET", "seal-status"))["t"] == 2
    with pytest.raises(BadRequest, match="no rekey configuration found"):
        await opened.ask("GET", "rekey/verify")
    await opened.keeper.seal()
    assert (await opened.unseal(*done["keys"]))["sealed"] is False


async def test_a_rekey_cancelled_before_verification_changes_nothing(opened):
    started = await begin(opened, 2, 2, require_verification=True)
    done = await give(opened, started["nonce"], *opened.keys[:3])
    await opened.ask("DELETE", "rekey/init")
    with pytest.raises(BadRequest, match="no rekey in progress"):
        await give(opened, done["verification_nonce"], done["keys"][0], step="rekey/verify")
    await opened.keeper.seal()
    assert (await opened.unseal(*opened.keys[:3]))["sealed"] is False


async def test_shares_for_people_and_their_backup(opened, person):
    started = await begin(opened, 2, 2, pgp_keys=[person.key, person.key], backup=True)
    assert started["pgp_fingerprints"] == [person.fingerprint] * 2
    assert started["backup"] is True
    done = await give(opened, started["nonce"], *opened.keys[:3])
    assert done["pgp_fingerprints"] == [person.fingerprint] * 2
    backup = opened.keeper.rekey.backup()
    assert backup == {
        "nonce": started["nonce"],
        "keys": {person.fingerprint: done["keys"]},
        "keys_base64": {person.fingerprint: done["keys_base64"]},
    }
    shares = [person.read(base64.b64decode(key)).decode() for key in done["keys_base64"]]
    await opened.keeper.seal()
    with pytest.raises(Sealed):
        opened.keeper.rekey.backup()
    assert (await opened.unseal(*shares))["sealed"] is False
    await opened.keeper.rekey.delete_backup()
    await opened.keeper.rekey.delete_backup()
    with pytest.raises(BadRequest, match="no backed-up keys found"):
        opened.keeper.rekey.backup()


async def test_ceremonies_answer_only_while_unsealed(house):
    for path in ("rekey/init", "rekey/update", "rekey/verify", "rekey-recovery-key/init", "generate-root/attempt"):
        for method in ("GET", "PUT", "DELETE"):
            with pytest.raises(Sealed):
                await house.ask(method, path, {})


# Recovery keys


async def test_with_shares_there_are_no_recovery_keys(opened):
    for path in ("init", "update", "verify"):
        with pytest.raises(BadRequest, match="recovery rekeying not supported"):
            await opened.ask("PUT", f"rekey-recovery-key/{path}", {"key": opened.keys[0], "nonce": "x"})


async def test_the_recovery_key_is_replaced_and_the_seal_stays(opened_static):
    house, path = opened_static, "rekey-recovery-key"
    nonce = (await begin(house, 2, 2, path=path))["nonce"]
    with pytest.raises(BadRequest, match="recovery key does not match submitted values"):
        await give(house, nonce, house.keys[0], forged_beside(house.keys[0]), step=f"{path}/update")
    with pytest.raises(BadRequest, match="provided during this rekey operation"):
        await give(house, nonce, house.keys[0], house.keys[0], step=f"{path}/update")
    done = await give(house, nonce, house.keys[1], step=f"{path}/update")
    assert len(done["keys"]) == 2
    nonce = (await begin(house, 1, 1, path=path, require_verification=True))["nonce"]
    with pytest.raises(BadRequest):
        await give(house, nonce, *house.keys[:2], step=f"{path}/update")
    last = await give(house, nonce, *done["keys"], step=f"{path}/update")
    await give(house, last["verification_nonce"], last["keys"][0], step=f"{path}/verify")
    await house.keeper.seal()
    assert (await house.unseal(last["keys"][0]))["sealed"] is False


async def test_recovery_shares_replace_the_root_key_and_get_nothing(opened_static):
    house = opened_static
    await house.write(b"kept")
    for more in ({"require_verification": True}, {"secret_shares": 1, "pgp_keys": ["x"]}):
        with pytest.raises(BadRequest, match="not supported when"):
            await begin(
                house, **{"shares": 1, "threshold": 1, **{k: v for k, v in more.items() if k != "secret_shares"}}
            )
    started = await begin(house, 5, 3)
    assert (started["t"], started["n"], started["required"]) == (1, 1, 2)
    before = house.store.barrier.root_key()
    done = await give(house, started["nonce"], *house.keys[:2])
    assert (done["complete"], done["keys"]) == (True, [])
    assert house.store.barrier.root_key() != before
    house.store.barrier.seal()
    await house.keeper.start()
    assert house.read() == b"kept"


async def test_without_recovery_keys_nothing_can_be_replaced(static_house):
    await static_house.ask("PUT", "init", {})
    for path in ("rekey", "rekey-recovery-key"):
        nonce = (await begin(static_house, 1, 1, path=path))["nonce"]
        with pytest.raises(BadRequest, match="no recovery key found"):
            await give(static_house, nonce, "11" * 32, step=f"{path}/update")


async def test_a_client_that_goes_away_does_not_leave_half_a_rekey(opened, monkeypatch):
    await opened.write(b"kept")
    started = await begin(opened, 2, 2, require_verification=True)
    done = await give(opened, started["nonce"], *opened.keys[:3])
    nonce = done["verification_nonce"]
    await give(opened, nonce, done["keys"][0], step="rekey/verify")
    log = opened.store.barrier._log
    submit, submitted, release = log.submit, asyncio.Event(), asyncio.Event()

    waiting = []

    def slowly(operations):
        ticket = Ticket()

        async def later():
            await release.wait()
            ticket.settle(await submit(operations))

        waiting.append(asyncio.ensure_future(later()))
        submitted.set()
        return ticket

    monkeypatch.setattr(log, "submit", slowly, raising=False)
    client = asyncio.ensure_future(give(opened, nonce, done["keys"][1], step="rekey/verify"))
    await asyncio.wait_for(submitted.wait(), 5)
    client.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client
    release.set()
    await opened.ask("DELETE", "rekey/init")  # waits until the step is over
    await opened.keeper.rotate()
    await opened.keeper.seal()
    assert (await opened.unseal(*done["keys"]))["sealed"] is False
    assert opened.read() == b"kept"


async def test_a_rekey_whose_commit_is_refused_changes_nothing(opened, monkeypatch):
    nonce = (await begin(opened, 1, 1))["nonce"]
    log = opened.store.barrier._log

    def refuse():
        raise LogBusy("too many writes wait")

    monkeypatch.setattr(log, "admit", refuse, raising=False)
    with pytest.raises(LogBusy):
        await give(opened, nonce, *opened.keys[:3])
    monkeypatch.undo()
    assert (await opened.ask("GET", "rekey/init"))["progress"] == 0
    await opened.keeper.seal()
    assert (await opened.unseal(*opened.keys[:3]))["sealed"] is False
