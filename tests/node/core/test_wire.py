"""What one node hands to another comes back as it was, and nothing else comes in."""

import contextlib
import datetime as dt
from enum import StrEnum

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from strongroom_node.core import wire
from strongroom_node.core.wire import (
    WireInvalid,
    decode_answer,
    decode_request,
    encode_answer,
    encode_failure,
    encode_request,
)
from strongroom_node.http.errors import refusal
from strongroom_node.sdk import errors as sdk
from strongroom_node.sdk.envelope import envelope
from strongroom_node.sdk.login import CredentialsInvalid
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Auth, Raw, Response, Secret, WrapInfo
from strongroom_storage import errors as storage

TEXT = st.text(st.characters(), max_size=12)  # lone surrogates too: headers may have them
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(1 << 63, 1 << 200),
    st.floats(allow_nan=False),
    TEXT,
    st.binary(max_size=12),
    st.sampled_from([msgspec.Raw(b'{"a":[1.10,1e400]}'), msgspec.Raw(b"null")]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
DATA = st.dictionaries(TEXT, VALUES, max_size=4)
PLAIN = st.text(max_size=12)
STRINGS = st.dictionaries(PLAIN, PLAIN, max_size=3)
NUMBERS = st.floats(0, 1e9)

REQUESTS = st.builds(
    Request,
    operation=st.sampled_from([operation for operation in Operation if operation is not Operation.CREATE]),
    path=TEXT,
    data=DATA,
    id=PLAIN,
    token=TEXT,
    remote_address=PLAIN,
    remote_port=st.integers(0, 65535),
    headers=st.lists(st.tuples(PLAIN, TEXT), max_size=4).map(lambda pairs: CIMultiDictProxy(CIMultiDict(pairs))),
    query=st.dictionaries(TEXT, TEXT | st.lists(TEXT, max_size=2), max_size=3),
    namespace=PLAIN,
    body=st.binary(max_size=20).filter(lambda body: not body.lstrip().startswith(b"{")),
    wrap_ttl=NUMBERS,
    wrap_format=PLAIN,
    client_certificate=st.binary(max_size=20),
)
AUTHS = st.builds(
    Auth,
    policies=st.lists(PLAIN, max_size=2),
    metadata=STRINGS,
    internal=DATA,
    ttl=NUMBERS,
    num_uses=st.integers(0, 9),
    client_token=PLAIN,
    orphan=st.booleans(),
    mfa_requirement=st.none() | DATA,
)
RESPONSES = st.builds(
    Response,
    data=st.none() | DATA,
    auth=st.none() | AUTHS,
    secret=st.none() | st.builds(Secret, kind=PLAIN, ttl=NUMBERS, internal=DATA, lease_id=PLAIN),
    warnings=st.lists(PLAIN, max_size=2),
    wrap_info=st.none() | st.builds(WrapInfo, PLAIN, PLAIN, st.integers(0, 99), PLAIN, PLAIN, wrapped_accessor=PLAIN),
    wrap_ttl=NUMBERS,
    raw=st.none() | st.builds(Raw, st.binary(max_size=20), PLAIN, st.integers(100, 599)),
    headers=STRINGS,
    flat=st.booleans(),
    missing=st.booleans(),
    status=st.integers(0, 599),
    lease_duration=st.integers(0, 1 << 40),
)


def plain(value):
    """Raw values have no equality of their own."""
    if isinstance(value, msgspec.Raw):
        return ("raw", bytes(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else (type(value), value)


def shown(record):
    return {name: plain(value) for name, value in fields_of(record).items()}


def fields_of(record):
    return {
        name: fields_of(value) if type(value) in {Auth, Secret, WrapInfo, Raw} else value
        for name in record.__slots__
        for value in [getattr(record, name)]
    }


@given(REQUESTS)
@settings(max_examples=100)
def test_a_request_comes_back_as_it_was(request_in) -> None:
    out = decode_request(encode_request(request_in))
    assert list(out.headers.items()) == list(request_in.headers.items())
    out.headers = request_in.headers
    assert shown(out) == shown(request_in)


@given(st.none() | RESPONSES)
@settings(max_examples=100)
def test_an_answer_comes_back_as_it_was(response) -> None:
    out = decode_answer(encode_answer(response))
    assert (out is None) == (response is None)
    if response is not None:
        assert shown(out) == shown(response)


def test_header_names_keep_their_indifference_to_case() -> None:
    headers = CIMultiDictProxy(CIMultiDict([("X-One", "1"), ("x-one", "2")]))
    out = decode_request(encode_request(Request(Operation.READ, "a", headers=headers)))
    assert out.headers["x-ONE"] == "1"
    assert len(out.headers) == 2


def test_fields_of_a_json_body_travel_once() -> None:
    body = b' {"a": 1, "b": [2.50, 12345678901234567890123]}'
    data = msgspec.json.decode(body)
    for operation in (Operation.UPDATE, Operation.CREATE, Operation.PATCH):
        packed = encode_request(Request(operation, "p", data, body=body))
        assert packed.count(b'"a"') == 1
        assert len(packed) < len(body) + 60
        out = decode_request(packed)
        assert (out.data, out.body) == (data, body)
    # A read has its fields from the query, whatever its body.
    out = decode_request(encode_request(Request(Operation.READ, "p", {"q": "1"}, body=body)))
    assert out.data == {"q": "1"}


def test_who_writes_decides_whether_something_is_created() -> None:
    request = Request(Operation.CREATE, "p", {"a": 1})
    request.relative, request.fields = "x", {"a": 1}
    out = decode_request(encode_request(request))
    assert out.operation is Operation.UPDATE
    assert (out.relative, out.fields, out.auth) == ("", {}, None)


class Colour(StrEnum):
    RED = "red"


def test_what_only_json_knows_gives_the_same_json() -> None:
    data = {
        "when": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "colour": Colour.RED,
        "pair": (1, 2),
        "set": {1},
        "bytes": b"\x00\xff",
        "keys": {1: "one"},
        "raw": msgspec.Raw(b"[1.0,  2]"),
    }
    out = decode_answer(encode_answer(Response(data=data)))
    assert out is not None
    assert msgspec.json.encode(envelope("id", out)) == msgspec.json.encode(envelope("id", Response(data=data)))


ERRORS = [
    sdk.BadRequest("one", "two", data={"a": [1]}),
    sdk.PermissionDenied(),
    sdk.PolicyDenied(),
    sdk.NotFound(),
    sdk.UnsupportedPath(),
    sdk.UnsupportedOperation(),
    sdk.PreconditionFailed("late"),
    sdk.RequestTooLarge("x"),
    sdk.UnsupportedMediaType("x"),
    sdk.NotInitialized("x"),
    sdk.Sealed(),
    sdk.Unavailable("x"),
    sdk.UpstreamFailed("x"),
    sdk.Internal("x"),
    CredentialsInvalid("wrong"),
    storage.KeyTooLong("long"),
    storage.ValueTooLarge("large"),
    storage.BarrierSealed(),
    storage.NotActive("no"),
    storage.LogBusy("busy"),
    storage.LogFailed("failed"),
    storage.CommitUnknown("unknown"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_keeps_its_kind_and_words(error) -> None:
    with pytest.raises(type(error)) as caught:
        decode_answer(encode_failure(error))
    assert type(caught.value) is type(error)
    assert refusal(caught.value) == refusal(error)
    assert getattr(caught.value, "data", None) == getattr(error, "data", None)


def test_a_quota_keeps_its_headers() -> None:
    with pytest.raises(sdk.TooManyRequests) as caught:
        decode_answer(encode_failure(sdk.TooManyRequests("slow down", {"Retry-After": "3"})))
    assert caught.value.headers == {"Retry-After": "3"}


class Special(sdk.NotFound):
    pass


def test_an_unknown_kind_becomes_the_nearest_known_one() -> None:
    with pytest.raises(sdk.NotFound, match="x"):
        decode_answer(encode_failure(Special("x")))


@pytest.mark.parametrize("error", [KeyError("secret"), storage.StoreDamaged("/secret/file")])
def test_what_nobody_may_be_told_stays_there(error) -> None:
    packed = encode_failure(error)
    assert b"secret" not in packed
    with pytest.raises(sdk.Internal):
        decode_answer(packed)


@given(st.binary(max_size=80))
@settings(max_examples=200)
def test_garbage_is_refused(data: bytes) -> None:
    for decode in (decode_request, decode_answer):
        with contextlib.suppress(WireInvalid, sdk.RequestError, storage.StorageError):
            decode(data)


@pytest.mark.parametrize(
    "value",
    [
        7,
        [1],
        {"nonsense": 1},
        {"auth": [1]},
        {"auth": 7},
        ["BaseException", ["x"], None, None],
        ["SystemExit", ["x"], None, None],
        ["StoreDamaged", ["x"], None, None],
        ["BadRequest", [1], None, None],
        msgpack.ExtType(9, b""),
    ],
)
def test_wrong_answers_are_refused(value) -> None:
    with pytest.raises(WireInvalid):
        decode_answer(msgpack.packb(value))


def test_wrong_requests_are_refused() -> None:
    good = msgpack.unpackb(encode_request(Request(Operation.READ, "p")))
    for at in range(len(good)):
        with pytest.raises(WireInvalid):
            decode_request(msgpack.packb([*good[:at], object_of_no_kind(), *good[at + 1 :]]))
    with pytest.raises(WireInvalid):
        decode_request(msgpack.packb(good[:-1]))
    bad_body = [*good]
    bad_body[2], bad_body[10] = None, b"[1]"
    with pytest.raises(WireInvalid):
        decode_request(msgpack.packb(bad_body))


def object_of_no_kind():
    return [[[1]], {"a": 1}]


def test_sizes_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(wire, "PAYLOAD_BYTES_MAX", 200)
    with pytest.raises(WireInvalid):
        encode_request(Request(Operation.UPDATE, "p", {"a": "x" * 200}))
    with pytest.raises(WireInvalid):
        decode_answer(msgpack.packb({"data": {"a": "x" * 200}}))
    deep: list = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(WireInvalid):
        encode_answer(Response(data={"deep": deep}))
    with pytest.raises(WireInvalid):
        encode_answer(Response(data={"what": object()}))
