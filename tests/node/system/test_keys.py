"""The barrier's keys through `sys/`."""

import base64

import pytest
from support.node import running_node

from strongroom_node.sdk import errors


@pytest.fixture
async def node():
    async with running_node() as made:
        yield made


async def test_rotation_adds_a_term_and_old_secrets_still_open(node):
    await node.ask("update", "secret/data/x", data={"a": 1})
    before = (await node.ask("read", "sys/key-status")).data["term"]
    await node.ask("update", "sys/rotate")
    assert (await node.ask("read", "sys/key-status")).data["term"] == before + 1
    assert (await node.ask("read", "secret/data/x")).data["metadata"]["version"] == 1


async def test_rotation_settings_are_kept_field_by_field(node):
    await node.ask("update", "sys/rotate/config", interval="25h", enabled=True)
    await node.ask("update", "sys/rotate/config", max_operations=2_000_000)
    shown = (await node.ask("read", "sys/rotate/config")).data
    assert (shown["interval"], shown["max_operations"]) == ("25h0m0s", 2_000_000)


async def test_a_generated_root_token_decodes_to_a_token_that_works(node):
    share = node.share
    begun = await node.ask("update", "sys/generate-root-token/attempt")
    otp, nonce = begun.data["otp"], begun.data["nonce"]
    done = await node.ask("update", "sys/generate-root-token/update", key=share, nonce=nonce)
    decoded = await node.ask("update", "sys/decode-token", "", encoded_token=done.data["encoded_token"], otp=otp)
    shown = await node.ask("read", "auth/token/lookup-self", decoded.data["token"])
    assert shown.data["policies"] == ["root"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"encoded_token": "AA", "otp": "longer"},
        {"encoded_token": "!!", "otp": "x"},
        {"encoded_token": "A" * 9, "otp": "é"},
    ],
)
async def test_what_does_not_decode_is_refused(node, given):
    assert isinstance(await node.refusal("update", "sys/decode-token", "", **given), errors.BadRequest)


async def test_raw_is_not_there_unless_it_is_configured(node):
    assert isinstance(await node.refusal("read", "sys/raw/core/mounts"), errors.UnsupportedPath)


async def test_raw_reads_entries_but_no_key_material():
    async with running_node(raw_endpoint=True) as node:
        listed = await node.ask("list", "sys/raw/core/")
        assert "mounts/" in listed.data["keys"]
        for path in ("core/keyring", "core/seal-config", "core/hsm/barrier-unseal-keys"):
            refused = await node.refusal("read", f"sys/raw/{path}")
            assert refused.messages == (f'cannot access "{path}"',)
        mount = (await node.ask("list", "sys/raw/core/mounts/")).data["keys"][0]
        value = await node.ask("read", f"sys/raw/core/mounts/{mount}", encoding="base64")
        assert base64.b64decode(value.data["value"])
