"""Requests, answers and errors as bytes, for a node that has another one answer. Pure.

msgpack with three extensions, because answers are made for JSON: what msgpack lacks must come out of the other node
as the same JSON. Tuples come back as lists; values that only the JSON encoder knows come back as their JSON.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import msgpack
import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from strongroom_cluster.forwarding.frames import PAYLOAD_BYTES_MAX
from strongroom_node.sdk import errors as sdk
from strongroom_node.sdk import login
from strongroom_node.sdk.request import WRITES, Operation, Request
from strongroom_node.sdk.response import Auth, Raw, Response, Secret, WrapInfo
from strongroom_storage import errors as storage

_RAW: Final = 1  # JSON that is passed on as it stands
_LONG: Final = 2  # an integer beyond 64 bits: big-endian two's complement
_BLANK_BYTES_MAX: Final = 64


class WireInvalid(Exception):
    """Bytes are not what this module writes, or something is too large to be sent. Names the fault only."""


class _Request(msgspec.Struct, array_like=True):
    """What of a request is sent: all that came over HTTP, and nothing that a pipeline found out."""

    operation: Operation
    path: str
    data: dict[str, Any] | None
    id: str
    token: str
    remote_address: str
    remote_port: int
    headers: list[tuple[str, str]]
    query: list[tuple[str, Any]]
    namespace: str
    body: bytes
    wrap_ttl: float
    wrap_format: str
    client_certificate: bytes


def encode_request(request: Request) -> bytes:
    """A request as it came in. Raises WireInvalid if it is too large.

    CREATE is told as UPDATE: which of the two it is, the node decides that writes. The fields of a write whose body
    is a JSON object are not sent beside it, but read from it again.
    """
    operation = Operation.UPDATE if request.operation is Operation.CREATE else request.operation
    return _packed(
        [
            operation.value,
            request.path,
            None if _is_in_body(operation, request.body) else request.data,
            request.id,
            request.token,
            request.remote_address,
            request.remote_port,
            list(request.headers.items()),
            list(request.query.items()),
            request.namespace,
            request.body,
            request.wrap_ttl,
            request.wrap_format,
            request.client_certificate,
        ]
    )


def decode_request(data: bytes) -> Request:
    """The request that `encode_request` was given, as the pipeline wants it. Raises WireInvalid."""
    try:
        sent = msgspec.convert(_unpacked(data), _Request, builtin_types=(bytes,))
        fields = sent.data
        if fields is None:
            fields = msgspec.json.decode(sent.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireInvalid("a forwarded request has a wrong shape") from error
    headers: Mapping[str, str] = CIMultiDictProxy(CIMultiDict(sent.headers))
    return Request(
        sent.operation,
        sent.path,
        fields,
        sent.id,
        sent.token,
        sent.remote_address,
        sent.remote_port,
        headers,
        dict(sent.query),
        sent.namespace,
        sent.body,
        sent.wrap_ttl,
        sent.wrap_format,
        sent.client_certificate,
    )


def _is_in_body(operation: Operation, body: bytes) -> bool:
    """Whether the fields are those of the body: so the listener has read them (`http.decode.read_body`)."""
    return operation in WRITES and body[:_BLANK_BYTES_MAX].lstrip().startswith(b"{")


# Answers


def encode_answer(response: Response | None) -> bytes:
    """What the pipeline returned. Raises WireInvalid if it is too large, or cannot be sent as JSON either."""
    return _packed(None if response is None else _fields(response))


def encode_failure(error: Exception) -> bytes:
    """What the pipeline raised. An error that the caller may not be told about becomes `Internal`; log it first."""
    if isinstance(error, sdk.RequestError):
        headers = error.headers if isinstance(error, sdk.TooManyRequests) else None
        return _packed([_nearest(error, _REQUEST_ERRORS), list(error.messages), error.data, headers])
    if isinstance(error, storage.StorageError) and (name := _nearest(error, _STORAGE_ERRORS)):
        return _packed([name, [str(error)], None, None])
    return _packed([sdk.Internal.__name__, ["internal error"], None, None])


def decode_answer(data: bytes) -> Response | None:
    """The answer of the other node; raises the error if it was one. Raises WireInvalid."""
    match _unpacked(data):
        case None:
            return None
        case dict() as fields:
            return _response(fields)
        case [str(name), list(messages), dict() | None as told, dict() | None as headers]:
            raise _error(name, messages, told, headers)
        case _:
            raise WireInvalid("a forwarded answer has a wrong shape")


_RECORDS: Final[dict[str, Any]] = {"auth": Auth, "secret": Secret, "wrap_info": WrapInfo, "raw": Raw}
_NAMES: Final = {
    kind: tuple(field.name for field in dataclasses.fields(kind)) for kind in (Response, *_RECORDS.values())
}
_EMPTY: Final = Response()


def _fields(response: Response) -> dict[str, Any]:
    """The fields that say something."""
    told = {name: value for name in _NAMES[Response] if (value := getattr(response, name)) != getattr(_EMPTY, name)}
    for name, kind in _RECORDS.items():
        if (record := told.get(name)) is not None:
            told[name] = [getattr(record, field) for field in _NAMES[kind]]
    return told


def _response(fields: dict[str, Any]) -> Response:
    try:
        for name, kind in _RECORDS.items():
            if (values := fields.get(name)) is not None:
                fields[name] = kind(**dict(zip(_NAMES[kind], values, strict=True)))
        return Response(**fields)
    except (TypeError, ValueError) as error:
        raise WireInvalid("a forwarded answer has a wrong shape") from error


# Errors: by name, from lists that nothing outside can add to.

_REQUEST_ERRORS: Final[dict[str, type[sdk.RequestError]]] = {
    kind.__name__: kind
    for kind in (*vars(sdk).values(), login.CredentialsInvalid)
    if isinstance(kind, type) and issubclass(kind, sdk.RequestError)
}
_STORAGE_ERRORS: Final[dict[str, type[storage.StorageError]]] = {
    kind.__name__: kind
    for kind in vars(storage).values()
    # Damage and the like concern the operator of the other node, and are internal errors to a client.
    if isinstance(kind, type)
    and issubclass(
        kind,
        (
            storage.InputRefused,
            storage.BarrierSealed,
            storage.BarrierUninitialized,
            storage.NotActive,
            storage.LogBusy,
            storage.LogFailed,
            storage.CommitUnknown,
        ),
    )
}


def _nearest(error: Exception, known: Mapping[str, type[Exception]]) -> str:
    """The name of the error's class, or of the nearest class above it that is known; "" if none is."""
    return next((kind.__name__ for kind in type(error).__mro__ if known.get(kind.__name__) is kind), "")


def _error(name: str, messages: list[Any], data: dict[str, Any] | None, headers: dict[str, str] | None) -> Exception:
    if not all(isinstance(message, str) for message in messages):
        return WireInvalid("a forwarded error has a wrong shape")
    if (refusal := _REQUEST_ERRORS.get(name)) is not None:
        # Constructors differ, and some add words of their own: everything is in the messages already.
        error = refusal.__new__(refusal)
        sdk.RequestError.__init__(error, *messages, data=data)
        if isinstance(error, sdk.TooManyRequests):
            error.headers = headers or {}
        return error
    if (failure := _STORAGE_ERRORS.get(name)) is not None:
        return failure(*messages)
    return WireInvalid("a forwarded error is of no known kind")


# Bytes


def _packed(value: Any) -> bytes:
    try:
        packed: bytes = msgpack.packb(value, use_bin_type=True, unicode_errors="surrogatepass", default=_extend)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WireInvalid("a value cannot be sent to another node") from error
    if len(packed) > PAYLOAD_BYTES_MAX:
        raise WireInvalid(f"more than {PAYLOAD_BYTES_MAX} bytes cannot be sent to another node")
    return packed


def _unpacked(data: bytes) -> Any:
    if len(data) > PAYLOAD_BYTES_MAX:
        raise WireInvalid("a message of another node is too large")
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=False, unicode_errors="surrogatepass", ext_hook=_restore)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise WireInvalid("a message of another node is not msgpack") from error


def _extend(value: Any) -> msgpack.ExtType:
    if type(value) is int:
        return msgpack.ExtType(_LONG, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    return msgpack.ExtType(_RAW, bytes(value) if isinstance(value, msgspec.Raw) else msgspec.json.encode(value))


def _restore(code: int, data: bytes) -> Any:
    if code == _LONG:
        return int.from_bytes(data, "big", signed=True)
    if code == _RAW:
        return msgspec.Raw(data)
    raise ValueError("an extension of no known kind")
