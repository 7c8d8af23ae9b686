"""The one form in which answers leave: Vault's envelope."""

from typing import Any

from strongroom_node.sdk.response import Auth, Response, WrapInfo


def envelope(request_id: str, response: Response) -> dict[str, Any]:
    """A response as a JSON object. Values of `data` may be `msgspec.Raw`, which is encoded as it stands.

    A wrapped response has an empty request id and no data, as it must tell nothing of what is inside.
    """
    wrapped = response.wrap_info
    secret, auth, data = response.secret, response.auth, response.data
    body: dict[str, Any] = {
        "request_id": "" if wrapped is not None else request_id,
        "lease_id": "" if secret is None else secret.lease_id,
        "renewable": secret is not None and secret.renewable,
        "lease_duration": response.lease_duration if secret is None else int(secret.ttl),
        "data": None if wrapped is not None else data,
        "wrap_info": None if wrapped is None else _wrap_info(wrapped),
        "warnings": response.warnings or None,
        "auth": None if auth is None or wrapped is not None else _auth(auth),
    }
    if response.flat and data is not None:
        return {**data, **body}
    return body


def _wrap_info(info: WrapInfo) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "token": info.token,
        "accessor": info.accessor,
        "ttl": info.ttl,
        "creation_time": info.creation_time,
        "creation_path": info.creation_path,
    }
    if info.wrapped_accessor:
        shown["wrapped_accessor"] = info.wrapped_accessor
    return shown


def _auth(auth: Auth) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "client_token": auth.client_token,
        "accessor": auth.accessor,
        "policies": auth.policies,
        "token_policies": auth.token_policies,
    }
    if auth.identity_policies:
        shown["identity_policies"] = auth.identity_policies
    return {
        **shown,
        "metadata": auth.metadata or None,
        "lease_duration": auth.lease_duration,
        "renewable": auth.renewable,
        "entity_id": auth.entity_id,
        "token_type": auth.token_type,
        "orphan": auth.orphan,
        "mfa_requirement": auth.mfa_requirement,
        "num_uses": auth.num_uses,
    }
