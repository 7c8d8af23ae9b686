"""Init: once, in known words, and nothing that can fail comes after the keys are stored."""

import base64

import pytest

from strongroom_node.sdk.errors import BadRequest

SIGNING_ONLY = (
    "mDMEawT6rhYJKwYBBAHaRw8BAQdA/jjZbCx5WnOoz0IF7aINz1be/0JLZF88Wk+QBpHu0RS0ElMgPHNAZXhhbXBsZS50ZXN0PoiQBBMWCAA4FiEE"
    "1VQ6DrUXSSJylk7fkbIYaQAqxGAFAmsE+q4CGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQkbIYaQAqxGDlVgEA99AHTmQRwkkfZRf2r6jS"
    "ny6hmKxd+o6cYwwvsxhs1d8A/R7u2ApPpl1wWzAbTidR8Tvrslc/J/gaLbE4rbsrZFYK"
)


async def test_keys_come_in_both_spellings_and_the_node_stays_sealed(house):
    made = await house.init(5, 3)
    assert set(made) == {"keys", "keys_base64", "root_token"}
    assert len(made["keys"]) == 5
    assert all(len(bytes.fromhex(key)) == 33 for key in made["keys"])
    assert [base64.b64decode(key).hex() for key in made["keys_base64"]] == made["keys"]
    assert made["root_token"].startswith("hvs.")
    assert house.events == ["unsealed", "token", "sealing"]
    assert await house.ask("GET", "init") == {"initialized": True}
    status = await house.ask("GET", "seal-status")
    assert (status["sealed"], status["t"], status["n"], status["initialized"]) == (True, 3, 5, True)


async def test_one_share_is_the_key_of_32_bytes(house):
    made = await house.init(1, 1)
    assert len(bytes.fromhex(made["keys"][0])) == 32
    assert (await house.unseal(made["keys_base64"][0]))["sealed"] is False


async def test_a_second_init_is_refused(house):
    await house.init()
    for body in ({"secret_shares": 1, "secret_threshold": 1}, {}, None, {"secret_shares": 900}):
        with pytest.raises(BadRequest, match=r"^Vault is already initialized$"):
            await house.ask("POST", "init", body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "invalid seal configuration: shares must be at least one"),
        (None, "invalid seal configuration: shares must be at least one"),
        ({"secret_shares": 5}, "invalid seal configuration: threshold must be at least one"),
        (
            {"secret_shares": 5, "secret_threshold": 1},
            "invalid seal configuration: threshold must be greater than one for multiple shares",
        ),
        (
            {"secret_shares": 1, "secret_threshold": 2},
            "invalid seal configuration: threshold cannot be larger than shares",
        ),
        ({"secret_shares": 256, "secret_threshold": 2}, "invalid seal configuration: shares must be less than 256"),
        (
            {"secret_shares": 3, "secret_threshold": 2, "pgp_keys": ["abc"]},
            "invalid seal configuration: count mismatch between number of provided PGP keys and number of shares",
        ),
        (
            {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["abc"]},
            "invalid seal configuration: error decoding given PGP key: illegal base64 data",
        ),
        (
            {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": [SIGNING_ONLY]},
            "invalid seal configuration: error parsing given PGP key: No suitable encryption subkey",
        ),
        (
            {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["A" * 70_000]},
            "invalid seal configuration: error decoding given PGP key: longer than",
        ),
        (
            {"secret_shares": 1, "secret_threshold": 1, "root_token_pgp_key": "YWJj"},
            "error parsing given PGP key: ",
        ),
        (
            {"secret_shares": 3, "secret_threshold": 2, "recovery_shares": 3, "recovery_threshold": 2},
            "parameters recovery_shares,recovery_threshold not applicable to seal type shamir",
        ),
        ({"secret_shares": "5"}, "failed to decode JSON input: "),
        ({"secret_shares": 10**30, "secret_threshold": 2}, "invalid seal configuration: shares must be less than 256"),
        ({"pgp_keys": "abc"}, "failed to decode JSON input: "),
        ([], "failed to decode JSON input: "),
    ],
)
async def test_bad_orders_are_refused_and_leave_nothing(house, body, message):
    with pytest.raises(BadRequest) as refused:
        await house.ask("POST", "init", body)
    assert refused.value.messages[0].startswith(message)
    assert "Stack" not in refused.value.messages[0]
    assert house.events == []
    assert await house.ask("GET", "init") == {"initialized": False}


async def test_shares_and_token_can_be_encrypted_to_people(house, person):
    made = await house.init(2, 2, pgp_keys=[person.key, person.key], root_token_pgp_key=person.key)
    assert person.read(base64.b64decode(made["root_token"])).decode() == house.tokens[0]
    shares = [person.read(base64.b64decode(key)).decode() for key in made["keys_base64"]]
    assert [base64.b64decode(key).hex() for key in made["keys_base64"]] == made["keys"]
    assert (await house.unseal(*shares))["sealed"] is False


async def test_keys_are_handed_out_even_if_no_root_token_could_be_made(house, capsys):
    house.fail_next = RuntimeError("disk full")
    made = await house.init(1, 1)
    assert made["root_token"] == ""
    logged = "".join(capsys.readouterr())
    assert "disk full" in logged
    assert "Traceback" not in logged, "a traceback may be rendered with local variables, and one of them is a key"
    assert house.keeper.is_sealed
    assert (await house.unseal(made["keys"][0]))["sealed"] is False


async def test_nothing_secret_is_stored_in_the_open(house):
    made = await house.init(3, 2)
    stored = b"".join(house.store.barrier.get_plain(path) or b"" for path in PLAIN_PATHS)
    for key in made["keys"]:
        assert bytes.fromhex(key)[:-1] not in stored


PLAIN_PATHS = ("core/seal-config", "core/hsm/barrier-unseal-keys", "core/recovery-config", "core/recovery-key")


async def test_a_seal_that_opens_by_itself_gives_recovery_keys_and_stays_open(static_house):
    made = await static_house.ask("PUT", "init", {"recovery_shares": 3, "recovery_threshold": 2})
    assert made["keys"] == made["keys_base64"] == []
    assert len(made["recovery_keys"]) == len(made["recovery_keys_base64"]) == 3
    status = await static_house.ask("GET", "seal-status")
    assert (status["sealed"], status["type"], status["t"], status["n"]) == (False, "static", 2, 3)
    assert (status["recovery_seal"], status["recovery_seal_type"]) == (True, "shamir")


async def test_recovery_keys_may_be_left_out(static_house):
    made = await static_house.ask("PUT", "init", {})
    assert set(made) == {"keys", "keys_base64", "root_token"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"secret_shares": 1}, "parameters secret_shares not applicable to seal type static"),
        (
            {"secret_shares": 5, "secret_threshold": 3, "pgp_keys": ["x"]},
            "parameters secret_shares,secret_threshold,pgp_keys not applicable to seal type static",
        ),
        ({"recovery_shares": 5}, "invalid recovery configuration: threshold must be at least one"),
        ({"recovery_threshold": 2}, "invalid recovery configuration: shares must be at least one"),
        ({"recovery_pgp_keys": ["x"]}, "invalid recovery configuration: "),
    ],
)
async def test_bad_recovery_orders_are_refused(static_house, body, message):
    with pytest.raises(BadRequest) as refused:
        await static_house.ask("PUT", "init", body)
    assert refused.value.messages[0].startswith(message)
