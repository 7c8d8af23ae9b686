"""The static seal's key: where it may come from, and that it is never told."""

import base64

import pytest

from strongroom_node.seals.static import make, read_key
from strongroom_storage.seal.errors import SealConfigInvalid, UnwrapFailed

KEY = bytes(range(200, 232))


@pytest.mark.parametrize(
    "content",
    [
        KEY,
        KEY.hex().encode(),
        KEY.hex().upper().encode() + b"\n",
        base64.b64encode(KEY) + b"\r\n",
        base64.urlsafe_b64encode(KEY),
        base64.b64encode(KEY).rstrip(b"="),
    ],
)
def test_a_file_may_hold_the_key_in_any_spelling(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    assert read_key("current_key", f"file://{path}").reveal() == KEY


def test_the_environment_or_the_setting_itself_may_hold_it():
    spelled = base64.b64encode(KEY).decode()
    assert read_key("current_key", "env://SEAL_KEY", {"SEAL_KEY": spelled}).reveal() == KEY
    assert read_key("current_key", spelled).reveal() == KEY
    assert read_key("current_key", "x" * 32).reveal() == b"x" * 32


@pytest.mark.parametrize("value", ["", "short", "00" * 31, "00" * 33, base64.b64encode(b"x" * 31).decode(), "é" * 20])
def test_what_is_no_key_is_refused_without_repeating_it(value):
    with pytest.raises(SealConfigInvalid, match="current_key must be a 32-byte key") as refused:
        read_key("current_key", value)
    assert not value or value not in str(refused.value)


@pytest.mark.parametrize("value", ["file:///no/such/file", "file:///", "file://\x00", "env://NOT_SET", "env://"])
def test_what_cannot_be_read_is_said(value):
    with pytest.raises(SealConfigInvalid, match="previous_key: "):
        read_key("previous_key", value, {})


def test_an_endless_file_is_not_read_to_its_end():
    with pytest.raises(SealConfigInvalid, match="32-byte key"):
        read_key("current_key", "file:///dev/zero")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "current_key_id is required"),
        ({"current_key_id": "a"}, "current_key is required"),
        ({"current_key": "00" * 32}, "current_key_id is required"),
        ({"current_key_id": 1, "current_key": "00" * 32}, "current_key_id must be a string"),
        ({"previous_key": "00" * 32}, "belong together"),
        ({"previous_key_id": "b"}, "belong together"),
        ({"previous_key_id": "a", "previous_key": "11" * 32}, "must differ"),
    ],
)
def test_stanzas_that_cannot_work_are_refused(settings, message):
    good = {} if "is required" in message else {"current_key_id": "a", "current_key": "00" * 32}
    with pytest.raises(SealConfigInvalid, match=message) as refused:
        make({**good, **settings})
    assert "00" * 32 not in str(refused.value)


async def test_a_blob_of_the_previous_key_opens_and_asks_to_be_wrapped_again():
    old = make({"current_key_id": "a", "current_key": "00" * 32})
    blob = await old.wrap(b"root key")
    new = make({"current_key_id": "b", "current_key": "11" * 32, "previous_key_id": "a", "previous_key": "00" * 32})
    assert (await new.unwrap(blob)).reveal() == b"root key"
    assert not new.is_current(blob)
    assert new.is_current(await new.wrap(b"root key"))
    with pytest.raises(UnwrapFailed, match="'b', which is neither current nor previous"):
        await old.unwrap(await new.wrap(b"root key"))
    assert "00" * 8 not in repr(new)
