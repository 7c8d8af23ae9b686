"""Response wrapping: an answer is kept for one use of a token that stands in for it.

In the wrapping token's cubbyhole lie `response`, which has the encoded envelope of the answer, and `wrapinfo`, what a
lookup may know of it. The token has the one policy `response-wrapping` and one use; both go with it. Old clients read
`cubbyhole/response` with the wrapping token instead of unwrapping; that works too.
"""

import base64
import hmac
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from strongroom_node.sdk.envelope import envelope
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, WrapInfo
from strongroom_node.sdk.timestamps import format_micros, micros
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.policies import WRAPPING
from strongroom_node.tokens.record import LAST_USE
from strongroom_node.tokens.store import TokenStore
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.transaction import Transaction

INVALID: Final = "wrapping token is not valid or does not exist"
NOTHING_FOUND: Final = "no information found; wrapping token may be from a previous Vault version"
NO_ADDRESS: Final = (
    "No redirect address set in Vault so none could be encoded in the token. You may need to supply Vault's API "
    "address when unwrapping the token."
)

_COORDINATE_BYTES: Final = 66
_JWT_HEAD: Final = base64.urlsafe_b64encode(b'{"alg":"ES512","typ":"JWT"}').rstrip(b"=").decode()
_JWT_CHARACTERS_MAX: Final = 4096
_NOT_BEFORE_SECONDS: Final = 5


class WrapRecord(msgspec.Struct, frozen=True):
    """What a lookup answers, and what a rewrapping needs. Unix seconds and seconds."""

    creation_time: float
    creation_ttl: float
    creation_path: str
    wrapped_accessor: str = ""


class _Kept(msgspec.Struct, frozen=True):
    """The object at `cubbyhole/response`."""

    response: str


_RECORD = msgspec.json.Decoder(WrapRecord)
_KEPT = msgspec.json.Decoder(_Kept)


def decode_record(packed: bytes) -> WrapRecord:
    """From the stored form."""
    return _RECORD.decode(packed)


class Wrapping:
    """Wraps and unwraps. `api_address` tells where this cluster is reached, for tokens in JWT form; may be empty.

    `PATHS` are those that `precheck` is for: there a dead wrapping token is told as one, whoever asks.
    """

    PATHS: Final = frozenset({"sys/wrapping/lookup", "sys/wrapping/unwrap", "sys/wrapping/rewrap"})

    def __init__(
        self, barrier: Barrier, tokens: TokenStore, now: Callable[[], float], api_address: Callable[[], str]
    ) -> None:
        self._tokens = tokens
        self._now = now
        self._api_address = api_address
        self._cubbyholes = barrier.view("cubbyhole/")
        self._core = barrier.view("core/")

    # --- before a request is authenticated

    def precheck(self, request: Request) -> None:
        """Raise BadRequest unless the request to one of `PATHS` is about a living wrapping token.

        The token is the body's, else the request's own. One in JWT form is put in its plain form in either place.
        """
        if "token" in request.data:
            token = request.data["token"]
            if not isinstance(token, str):
                raise BadRequest("error validating wrapping token: could not decode token in request body")
            if not token:
                raise BadRequest("error validating wrapping token: empty token in request body")
            plain = self._plain(token)
            request.data["token"] = plain
        else:
            plain = request.token = self._plain(request.token)
        if self._wrapping_entry(plain) is None:
            raise BadRequest(INVALID)

    def _wrapping_entry(self, token: str) -> TokenEntry | None:
        entry = self._tokens.lookup(token) if token else None
        return entry if entry is not None and entry.policies == (WRAPPING,) else None

    # --- wrapping

    async def wrap(self, request: Request, response: Response) -> WrapInfo:
        """Keep an answer and give a token for it. `request.wrap_ttl`, else the response's, is how long.

        May add a warning to the response, for the caller of the wrapped request.
        """
        body = msgspec.json.encode(envelope(request.id, response))
        now = self._now()
        ttl = request.wrap_ttl or response.wrap_ttl
        accessor = response.auth.accessor if response.auth is not None else ""
        record = WrapRecord(now, ttl, request.path, accessor)
        is_jwt = request.wrap_format == "jwt" and request.path != "sys/wrapping/wrap"
        key = await self._signing_key() if is_jwt else None
        with self._tokens.view.transaction() as tx:
            token, entry = self._keep(tx, record, body)
        await tx.commit()
        info = _info(token, entry, record)
        if key is not None:
            info.token = self._signed(key, token, entry, accessor)
            if not self._api_address():
                response.warn(NO_ADDRESS)
        return info

    def _keep(self, tx: Transaction, record: WrapRecord, body: bytes) -> tuple[str, TokenEntry]:
        draft = TokenEntry(
            key="",
            policies=(WRAPPING,),
            path=record.creation_path.rstrip("/"),
            num_uses=1,
            creation_time=self._now(),
            creation_ttl=record.creation_ttl,
            explicit_max_ttl=record.creation_ttl,
        )
        token, entry = self._tokens.create_in(tx, draft)
        own = tx.at(self._cubbyholes)
        own.put(f"{entry.key}/response", msgspec.json.encode(_Kept(body.decode())))
        own.put(f"{entry.key}/wrapinfo", msgspec.json.encode(record))
        return token, entry

    # --- unwrapping

    async def unwrap(self, request: Request, token: str) -> bytes:
        """The encoded envelope that was wrapped; empty if there was nothing in it.

        With `token` empty or the request's own, that token was used up by coming here. Another token's is taken in
        one transaction with the answer, so that of two who try exactly one gets it. Raises BadRequest.
        """
        own = self._own(request, token)
        if own is not None:
            kept = self._cubbyholes.get(f"{own.key}/response")
            if kept is None:
                raise BadRequest(NOTHING_FOUND)
            return _KEPT.decode(kept).response.encode()
        with self._tokens.view.transaction() as tx:
            _, body = self._take(tx, token)
        await tx.commit()
        return body

    async def rewrap(self, token: str) -> Response:
        """A new token for what is wrapped, with the length and path of the old one, which ends. Raises BadRequest."""
        with self._tokens.view.transaction() as tx:
            record, body = self._take(tx, token)
            renewed = msgspec.structs.replace(record, creation_time=self._now())
            new, entry = self._keep(tx, renewed, body)
        await tx.commit()
        return Response(wrap_info=_info(new, entry, renewed))

    def lookup(self, token: str) -> WrapRecord:
        """When, where and for how long something was wrapped. Uses nothing up. Raises BadRequest."""
        entry = self._wrapping_entry(self._plain(token))
        if entry is None:
            raise BadRequest(INVALID)
        record = self._cubbyholes.get_checked(f"{entry.key}/wrapinfo", decode_record)
        if record is None:
            raise BadRequest(NOTHING_FOUND)
        return record

    def _own(self, request: Request, token: str) -> TokenEntry | None:
        """The request's own entry if it is the wrapping token that is meant."""
        auth = request.auth
        if auth is None or auth.policies != (WRAPPING,) or auth.num_uses != LAST_USE:
            return None
        is_same = not token or hmac.compare_digest(token.encode(), request.token.encode())
        return auth if is_same else None

    def _take(self, tx: Transaction, token: str) -> tuple[WrapRecord, bytes]:
        """Read what a token stands for and end the token."""
        entry = self._wrapping_entry(self._plain(token))
        if entry is None or not self._tokens.is_usable(tx, entry.key):
            raise BadRequest(INVALID)
        own = tx.at(self._cubbyholes)
        kept, record = own.get(f"{entry.key}/response"), own.get(f"{entry.key}/wrapinfo")
        if kept is None or record is None:
            raise BadRequest(NOTHING_FOUND)
        self._tokens.remove_in(tx, entry.key)
        return decode_record(record), _KEPT.decode(kept).response.encode()

    # --- JWT form

    async def public_key(self) -> tuple[int, int]:
        """Coordinates of the key that signs wrapping tokens in JWT form, on curve P-521."""
        numbers = (await self._signing_key()).public_key().public_numbers()
        return numbers.x, numbers.y

    async def _signing_key(self) -> ec.EllipticCurvePrivateKey:
        """The cluster's key, made when it is first asked for."""
        known = self._core.get_checked("wrapping-key", decode_key)
        if known is not None:
            return known
        fresh = ec.generate_private_key(ec.SECP521R1())
        with self._core.transaction() as tx:
            packed = tx.get("wrapping-key")
            if packed is None:
                packed = fresh.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
                tx.put("wrapping-key", packed)
        await tx.commit()
        return decode_key(packed)

    def _signed(self, key: ec.EllipticCurvePrivateKey, token: str, entry: TokenEntry, accessor: str) -> str:
        issued = int(entry.creation_time)
        claims = {
            "accessor": accessor or entry.accessor,
            "addr": self._api_address(),
            "exp": int(entry.expire_time),
            "iat": issued,
            "jti": token,
            "nbf": issued - _NOT_BEFORE_SECONDS,
            "type": "wrapping",
        }
        message = f"{_JWT_HEAD}.{_unpadded(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA512())))
        size = _COORDINATE_BYTES
        return f"{message}.{_unpadded(r.to_bytes(size, 'big') + s.to_bytes(size, 'big'))}"

    def _plain(self, token: str) -> str:
        """The token inside a JWT that this cluster signed; anything else as it is."""
        if token.count(".") != 2 or len(token) > _JWT_CHARACTERS_MAX:
            return token
        key = self._core.get_checked("wrapping-key", decode_key)
        if key is None:
            return token
        message, _, signature = token.rpartition(".")
        head, _, body = message.partition(".")
        try:
            raw = _padded(signature)
            # Nothing of it is decoded before the signature is known to be ours.
            if len(raw) != 2 * _COORDINATE_BYTES or head != _JWT_HEAD:
                return token
            r, s = int.from_bytes(raw[:_COORDINATE_BYTES], "big"), int.from_bytes(raw[_COORDINATE_BYTES:], "big")
            key.public_key().verify(encode_dss_signature(r, s), message.encode(), ec.ECDSA(hashes.SHA512()))
            claims = msgspec.json.decode(_padded(body), type=dict)
        except (ValueError, InvalidSignature, msgspec.MsgspecError):
            return token
        return str(claims["jti"]) if claims.get("type") == "wrapping" and isinstance(claims.get("jti"), str) else token


def decode_key(packed: bytes) -> ec.EllipticCurvePrivateKey:
    """The signing key from its stored form, PKCS #8."""
    key = load_der_private_key(packed, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the wrapping key is of another kind")
    return key


def _info(token: str, entry: TokenEntry, record: WrapRecord) -> WrapInfo:
    return WrapInfo(
        token=token,
        accessor=entry.accessor,
        ttl=int(record.creation_ttl),
        creation_time=format_micros(micros(record.creation_time)),
        creation_path=record.creation_path,
        wrapped_accessor=record.wrapped_accessor,
    )


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _padded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
