"""`sys/tools`."""

import asyncio
import base64
import hashlib

import pytest

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import coerce_fields
from strongroom_node.sdk.path import PathTable
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.system import tools

TABLE = PathTable(tools.PATHS)
HELLO = "aGVsbG8="


class Engine:
    """As much of the system engine as the tools use."""

    def __init__(self):
        self.core = self
        self.blocking_calls = 0

    async def run_blocking(self, work, *args):
        self.blocking_calls += 1
        return await asyncio.get_running_loop().run_in_executor(None, work, *args)


async def call(path, engine=None, **data):
    request = Request(Operation.UPDATE, f"sys/{path}", data=data)
    request.declaration, captured = TABLE.match(path, Operation.UPDATE)
    request.fields = {**coerce_fields(request.declaration.fields, data), **captured}
    return (await request.declaration.update(engine or Engine(), request)).data


@pytest.mark.parametrize(
    ("path", "data", "count"),
    [
        ("tools/random", {}, 32),
        ("tools/random/16", {}, 16),
        ("tools/random/16", {"bytes": 99}, 16),
        ("tools/random", {"bytes": "8"}, 8),
        ("tools/random/platform", {"bytes": 8}, 8),
        ("tools/random/seal", {}, 32),
        ("tools/random/all/8", {}, 8),
        ("tools/random", {"bytes": 131072}, 131072),
    ],
)
async def test_random_bytes(path, data, count):
    first, second = [(await call(path, **data))["random_bytes"] for _ in range(2)]
    assert len(base64.b64decode(first, validate=True)) == count
    assert first != second
    assert len(bytes.fromhex((await call(path, **data, format="hex"))["random_bytes"])) == count


@pytest.mark.parametrize(
    ("path", "data", "told"),
    [
        ("tools/random/0", {}, "'bytes' cannot be less than 1"),
        ("tools/random", {"bytes": -1}, "'bytes' cannot be less than 1"),
        ("tools/random", {"bytes": 131073}, "'bytes' should be less than"),
        ("tools/random/9999999999999999999", {}, "error parsing url-set byte count"),
        ("tools/random/many", {}, "error parsing url-set byte count"),
        ("tools/random/moon/8", {}, 'unsupported entropy source "moon"'),
        ("tools/random", {"format": "octal"}, 'unsupported encoding format "octal"; must be "hex" or "base64"'),
    ],
)
async def test_random_errors(path, data, told):
    with pytest.raises(BadRequest, match=told):
        await call(path, **data)


@pytest.mark.parametrize("size", [224, 256, 384, 512])
@pytest.mark.parametrize("family", ["sha2", "sha3"])
async def test_hashes(family, size):
    name = f"sha{size}" if family == "sha2" else f"sha3_{size}"
    expected = hashlib.new(name, b"hello").hexdigest()
    assert await call(f"tools/hash/{family}-{size}", input=HELLO) == {"sum": expected}
    assert await call("tools/hash", input=HELLO, algorithm=f"{family}-{size}") == {"sum": expected}


async def test_the_url_names_the_algorithm_and_base64_is_given_on_request():
    expected = "WeF0h3dEjGnea4ANejO7+5/xtGPkQ1TDVTvNucZm+pASWjx5+QOXvfX2oT3oKGhP"
    given = {"input": HELLO, "algorithm": "sha2-512", "format": "base64"}
    assert await call("tools/hash/sha2-384", **given) == {"sum": expected}


@pytest.mark.parametrize(
    ("path", "data", "told"),
    [
        ("tools/hash/md5", {"input": HELLO}, "unsupported algorithm md5"),
        ("tools/hash", {"input": "%%"}, "unable to decode input as base64: illegal base64 data at input byte 0"),
        ("tools/hash", {"input": "aGVsbG8"}, "illegal base64 data at input byte 7"),
        ("tools/hash", {"input": "aGé="}, "illegal base64 data at input byte 2"),
        ("tools/hash", {"input": HELLO, "format": "octal"}, 'unsupported encoding format octal; must be "hex"'),
    ],
)
async def test_hash_errors(path, data, told):
    with pytest.raises(BadRequest, match=told):
        await call(path, **data)


async def test_large_input_is_hashed_off_the_event_loop():
    engine = Engine()
    data = b"x" * (tools.INLINE_BYTES_MAX + 1)
    found = await call("tools/hash", engine, input=base64.b64encode(data).decode())
    assert found == {"sum": hashlib.sha256(data).hexdigest()}
    assert engine.blocking_calls == 1


async def test_there_is_nothing_to_read():
    declaration, _ = TABLE.match("tools/random", Operation.READ)
    assert declaration.handler(Operation.READ) is None
