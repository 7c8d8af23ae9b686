"""Root tokens for a quorum, masked or encrypted, and for nobody else."""

import base64

import pytest
from support.house import TOKEN, forged_beside

from strongroom_node.sdk.errors import BadRequest

IDLE = {
    "nonce": "",
    "started": False,
    "progress": 0,
    "required": 3,
    "complete": False,
    "encoded_token": "",
    "encoded_root_token": "",
    "pgp_fingerprint": "",
    "otp": "",
    "otp_length": 28,
}


async def give(house, nonce, *keys):
    answer = {}
    for key in keys:
        answer = await house.ask("PUT", "generate-root/update", {"key": key, "nonce": nonce})
    return answer


def unmask(encoded, otp):
    masked = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return bytes(left ^ right for left, right in zip(masked, otp.encode(), strict=True)).decode()


async def test_a_quorum_gets_a_token_under_a_password_told_once(opened):
    assert await opened.ask("GET", "generate-root/attempt") == IDLE
    started = await opened.ask("PUT", "generate-root/attempt")
    assert started == {**IDLE, "nonce": started["nonce"], "started": True, "otp": started["otp"]}
    assert len(started["otp"]) == 28
    assert (await opened.ask("GET", "generate-root/attempt"))["otp"] == ""
    part = await give(opened, started["nonce"], opened.keys[0])
    assert part == {**IDLE, "nonce": started["nonce"], "started": True, "progress": 1, "otp_length": 0}
    done = await give(opened, started["nonce"], *opened.keys[1:3])
    assert (done["complete"], done["progress"], done["otp"], done["otp_length"]) == (True, 3, "", 0)
    assert done["encoded_token"] == done["encoded_root_token"]
    assert "=" not in done["encoded_token"]
    assert unmask(done["encoded_token"], started["otp"]) == TOKEN
    assert await opened.ask("GET", "generate-root/attempt") == IDLE


async def test_the_password_may_be_brought_along(opened):
    otp = "0123456789abcdefghijklmnopqr"
    started = await opened.ask("PUT", "generate-root/attempt", {"otp": otp})
    assert started["otp"] == ""
    done = await give(opened, started["nonce"], *opened.keys[:3])
    assert unmask(done["encoded_token"], otp) == TOKEN


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"otp": "short"}, "OTP string is wrong length"),
        ({"otp": "é" * 28}, "OTP string is wrong length"),
        ({"otp": "\ud800" * 3}, "OTP string is wrong length"),
        ({"pgp_key": "!!"}, "error parsing PGP key: error decoding given PGP key: illegal base64 data"),
        ({"pgp_key": "YWJj"}, "error parsing PGP key: error parsing given PGP key: "),
        ({"otp": 5}, "failed to decode JSON input: "),
    ],
)
async def test_bad_orders_are_refused(opened, body, message):
    with pytest.raises(BadRequest) as refused:
        await opened.ask("PUT", "generate-root/attempt", body)
    assert refused.value.messages[0].startswith(message)
    assert await opened.ask("GET", "generate-root/attempt") == IDLE


async def test_a_person_gets_it_encrypted(opened, person):
    started = await opened.ask("PUT", "generate-root/attempt", {"pgp_key": person.key})
    assert (started["pgp_fingerprint"], started["otp"]) == (person.fingerprint, "")
    done = await give(opened, started["nonce"], *opened.keys[:3])
    assert done["pgp_fingerprint"] == person.fingerprint
    assert person.read(base64.b64decode(done["encoded_token"])).decode() == TOKEN


async def test_one_attempt_at_a_time_and_any_can_be_cancelled(opened):
    nonce = (await opened.ask("PUT", "generate-root/attempt", {}))["nonce"]
    with pytest.raises(BadRequest, match="root generation already in progress"):
        await opened.ask("PUT", "generate-root/attempt", {})
    await give(opened, nonce, *opened.keys[:2])
    assert await opened.ask("DELETE", "generate-root/attempt") is None
    with pytest.raises(BadRequest, match="no root generation in progress"):
        await give(opened, nonce, opened.keys[2])
    fresh = (await opened.ask("PUT", "generate-root/attempt", {}))["nonce"]
    with pytest.raises(BadRequest, match=f'nonce for this root generation operation is "{fresh}"'):
        await give(opened, nonce, opened.keys[2])
    assert (await opened.ask("GET", "generate-root/attempt"))["progress"] == 0


async def test_two_shares_and_a_forged_one_make_no_token(opened):
    opened.events.clear()
    nonce = (await opened.ask("PUT", "generate-root/attempt", {}))["nonce"]
    for forged in (
        "11" * 33,
        opened.keys[2][:-2],
        opened.keys[2][:-2] + "00",
        opened.keys[2][:-2] + opened.keys[0][-2:],
    ):
        with pytest.raises(BadRequest):
            await give(opened, nonce, *opened.keys[:2], forged)
        assert (await opened.ask("GET", "generate-root/attempt"))["progress"] == 0
    with pytest.raises(BadRequest, match="already been provided during this generation operation"):
        await give(opened, nonce, opened.keys[0], opened.keys[0])
    assert opened.events == []


async def test_a_token_that_cannot_be_handed_over_is_taken_back(opened):
    nonce = (await opened.ask("PUT", "generate-root/attempt", {}))["nonce"]
    opened.tokens = ["hvs.short"]
    with pytest.raises(BadRequest, match="OTP string is wrong length"):
        await give(opened, nonce, *opened.keys[:3])
    assert opened.discarded == ["hvs.short"]


async def test_recovery_keys_make_root_tokens_and_none_make_none(opened_static, house):
    started = await opened_static.ask("PUT", "generate-root/attempt", {})
    assert started["required"] == 2
    forged = forged_beside(opened_static.keys[0])
    with pytest.raises(BadRequest, match="root generation aborted: recovery key does not match"):
        await give(opened_static, started["nonce"], opened_static.keys[0], forged)
    done = await give(opened_static, started["nonce"], *opened_static.keys[1:])
    assert unmask(done["encoded_token"], started["otp"]) == TOKEN


async def test_where_nobody_has_recovery_keys_nobody_gets_a_token(static_house):
    await static_house.ask("PUT", "init", {})
    static_house.events.clear()
    nonce = (await static_house.ask("PUT", "generate-root/attempt", {}))["nonce"]
    with pytest.raises(BadRequest, match="no recovery key found"):
        await give(static_house, nonce, "11" * 32)
    assert static_house.events == []
