"""What failures of the core become."""

import pytest
from support.edge import FakeCore, edge

from strongroom_node.sdk import errors as sdk
from strongroom_node.sdk.response import Raw, Response
from strongroom_storage import errors as storage

SMALL = {"request_bytes_max": 1000}


SECRET = "hvs.supersecret"


@pytest.mark.parametrize(
    ("error", "status", "messages"),
    [
        (RuntimeError(SECRET), 500, ["internal error"]),
        (RecursionError(SECRET), 500, ["internal error"]),
        (ExceptionGroup(SECRET, [ValueError(SECRET)]), 500, ["internal error"]),
        (storage.StoreDamaged(SECRET), 500, ["internal error"]),
        (storage.KeyTooLong("the path is longer than 500 bytes"), 400, ["the path is longer than 500 bytes"]),
        (storage.BarrierSealed(), 503, ["Vault is sealed"]),
        (storage.NotActive(), 503, ["node is not active"]),
        (storage.CommitUnknown(), 503, ["the result of this write is unknown"]),
        (sdk.BadRequest("no", "never"), 400, ["no", "never"]),
        (sdk.PermissionDenied(), 403, ["permission denied"]),
        (sdk.NotFound(), 404, []),
        (sdk.UnsupportedOperation(), 405, ["1 error occurred:\n\t* unsupported operation\n\n"]),
        (sdk.PreconditionFailed(), 412, []),
        (sdk.RequestTooLarge("x"), 413, ["x"]),
        (sdk.Internal("told"), 500, ["told"]),
        (sdk.UpstreamFailed("far"), 502, ["far"]),
        (sdk.Sealed(), 503, ["Vault is sealed"]),
        (sdk.RequestError("bare"), 500, ["bare"]),
    ],
)
async def test_errors_of_the_core(error, status, messages, capfd):
    async def answer(_request):
        raise error

    async with edge(FakeCore(answer)) as node:
        client = await node.connect()
        got = await client.get("/v1/a", f"X-Vault-Token: {SECRET}")
        assert (got.status, got.errors) == (status, messages)
        assert (await client.get("/v1/sys/health")).status == 200
    written = "".join(capfd.readouterr())
    assert SECRET not in written
    assert "Traceback" not in written
    if messages == ["internal error"]:
        assert node.core.requests[0].id in written


async def test_errors_with_data_and_headers():
    async def answer(request):
        if request.path == "quota":
            raise sdk.TooManyRequests("slow down", {"Retry-After": "7"})
        raise sdk.BadRequest("some failed", data={"results": [1]})

    async with edge(FakeCore(answer)) as node:
        client = await node.connect()
        got = await client.get("/v1/quota")
        assert (got.status, got.errors, got["Retry-After"]) == (429, ["slow down"], "7")
        got = await client.get("/v1/batch")
        assert (got.status, got.json) == (400, {"errors": ["some failed"], "data": {"results": [1]}})


async def test_answers_cannot_inject_headers():
    async def answer(request):
        if request.path == "type":
            return Response(raw=Raw(b"x", "text/plain\r\nX-Evil: 1"))
        headers = {
            "X-A": "a\r\nX-Evil: 1",
            "X-B\r\nX-Evil": "1",
            "X-C": "\udcff",
            "Content-Length": "0",
            "X-Ok": "é",
            "": "x",
        }
        return Response(data={}, headers=headers)

    async with edge(FakeCore(answer)) as node:
        client = await node.connect()
        got = await client.get("/v1/a")
        assert got.status == 200
        assert not {"X-Evil", "X-A", "X-C"} & {name for name, _ in got.headers}
        assert got["X-Ok"] == "é"
        assert "X-Evil" not in await client.get("/v1/type")
        assert await client.is_alive()
