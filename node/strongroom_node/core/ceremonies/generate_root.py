"""`sys/generate-root`: a new root token for a quorum of share holders."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any, Final

from strongroom_node.core.ceremonies.bodies import RootBody
from strongroom_node.core.ceremonies.custody import NO_PLAN, Custody
from strongroom_node.core.ceremonies.pgp import read_recipient
from strongroom_node.core.ceremonies.refusals import refusals
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage.crypto.entropy import random_base62, random_uuid
from strongroom_storage.seal.errors import CeremonyRefused, SealError, UnwrapFailed
from strongroom_storage.seal.progress import RootGeneration, mask_token
from strongroom_storage.seal.shares import check_share, join_key

TOKEN_CHARACTERS: Final = 28
"""A root token: "hvs." and 24 characters. A one-time password is exactly as long."""


class GenerateRoot:
    """At most one attempt at a time on this node."""

    def __init__(
        self,
        custody: Custody,
        make_token: Callable[[], Awaitable[str]],
        discard_token: Callable[[str], Awaitable[None]],
    ) -> None:
        self._custody = custody
        self._make_token = make_token
        self._discard_token = discard_token
        self._attempt: RootGeneration | None = None

    def forget(self) -> None:
        """Drop the attempt; wipes every share."""
        if self._attempt is not None:
            self._attempt.forget()
            self._attempt = None

    def status(self, otp: str = "") -> dict[str, Any]:
        """How far it is; the one-time password is told once, to who began. Raises Sealed."""
        self._require_open()
        attempt = self._attempt
        return {
            "nonce": "" if attempt is None else attempt.nonce,
            "started": attempt is not None,
            "progress": 0 if attempt is None else len(attempt.given),
            "required": self._custody.authority().threshold,
            "complete": False,
            "encoded_token": "",
            "encoded_root_token": "",
            "pgp_fingerprint": "" if attempt is None else attempt.pgp_fingerprint,
            "otp": otp,
            "otp_length": TOKEN_CHARACTERS,
        }

    async def start(self, body: RootBody) -> dict[str, Any]:
        """Begin; without a password or a PGP key a password is made and told in this answer only."""
        self._require_open()
        made = "" if body.otp or body.pgp_key else random_base62(TOKEN_CHARACTERS)
        otp = body.otp or made
        fingerprint = ""
        if otp:
            if len(otp.encode(errors="replace")) != TOKEN_CHARACTERS:
                raise BadRequest("OTP string is wrong length")
        else:
            with refusals("error parsing PGP key: "):
                fingerprint = read_recipient(body.pgp_key).fingerprint
        pgp_key = "" if otp else body.pgp_key
        await self._custody.alone(lambda: self._begin(RootGeneration(random_uuid(), otp, pgp_key, fingerprint)))
        return self.status(made)

    async def cancel(self) -> None:
        """Drop the attempt, if there is one."""
        self._require_open()
        await self._custody.alone(self._cancel)

    async def update(self, share: bytes, nonce: str) -> dict[str, Any]:
        """Give one share. The last one answers with the token, masked or encrypted. Raises BadRequest.

        A wrong set begins again from nothing under the same nonce.
        """
        return await self._custody.alone(lambda: self._update(share, nonce))

    async def _begin(self, attempt: RootGeneration) -> None:
        self._require_open()
        if self._attempt is not None:
            raise BadRequest("root generation already in progress")
        self._attempt = attempt

    async def _cancel(self) -> None:
        self.forget()

    async def _update(self, share: bytes, nonce: str) -> dict[str, Any]:
        self._require_open()
        with refusals():
            check_share(share)
            attempt = self._attempt
            if attempt is None:
                raise CeremonyRefused("no root generation in progress")
            authority = self._custody.authority()
            if authority == NO_PLAN:
                raise CeremonyRefused("no recovery key found")
            shares = attempt.offer(nonce, share, authority.threshold)
        if shares is None:
            return self._answer(attempt, len(attempt.given), "")
        try:
            with refusals("failed to compute root key: "):
                key = join_key(shares, authority.threshold)
            await self._custody.authenticate(key)
        except UnwrapFailed as error:
            raise BadRequest(f"root generation aborted: {error}") from error
        answer = self._answer(attempt, authority.threshold, await self._encoded_token(attempt))
        self.forget()
        return answer

    def _answer(self, attempt: RootGeneration, progress: int, encoded: str) -> dict[str, Any]:
        required = self._custody.authority().threshold
        return {
            "nonce": attempt.nonce,
            "started": True,
            "progress": progress,
            "required": required,
            "complete": progress == required,
            "encoded_token": encoded,
            "encoded_root_token": encoded,
            "pgp_fingerprint": attempt.pgp_fingerprint,
            "otp": "",
            "otp_length": 0,
        }

    async def _encoded_token(self, attempt: RootGeneration) -> str:
        """Make a root token. One that cannot be handed over is taken back: nobody would know that it lives."""
        token = await self._make_token()
        try:
            with refusals():
                if attempt.otp:
                    return base64.b64encode(mask_token(token, attempt.otp)).decode().rstrip("=")
                return base64.b64encode(read_recipient(attempt.pgp_key).encrypt(token.encode())).decode()
        except (BadRequest, SealError, RuntimeError):
            await self._discard_token(token)
            raise

    def _require_open(self) -> None:
        with refusals():
            self._custody.barrier.require_unsealed()
