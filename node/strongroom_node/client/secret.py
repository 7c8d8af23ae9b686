"""The envelope of an answer, as `{"request_id": ..., "data": {...}}`."""

from typing import Any, NamedTuple

Body = dict[str, Any]


class Secret(NamedTuple):
    """One answer, taken apart. Absent parts are None, as `data: null` is."""

    request_id: str
    lease_id: str
    lease_duration: int
    renewable: bool
    data: Body | None
    warnings: list[str] | None
    auth: Body | None
    wrap_info: Body | None

    def __repr__(self) -> str:
        """Without the contents, which are secrets."""
        return f"<secret {self.request_id}>"

    def envelope(self) -> Body:
        """The dictionary `-format=json` prints, keys in Vault's order."""
        body: Body = {
            "request_id": self.request_id,
            "lease_id": self.lease_id,
            "lease_duration": self.lease_duration,
            "renewable": self.renewable,
            "data": sort_keys(self.data),
            "warnings": self.warnings,
        }
        if self.auth is not None:
            body["auth"] = order_keys(self.auth, AUTH_KEYS)
        if self.wrap_info is not None:
            body["wrap_info"] = order_keys(self.wrap_info, WRAP_KEYS)
        return body


ENVELOPE_KEYS = ("request_id", "lease_id", "lease_duration", "renewable", "data", "warnings", "auth", "wrap_info")
AUTH_KEYS = (
    "client_token",
    "accessor",
    "policies",
    "token_policies",
    "identity_policies",
    "metadata",
    "orphan",
    "entity_id",
    "lease_duration",
    "renewable",
    "mfa_requirement",
)
WRAP_KEYS = ("token", "accessor", "ttl", "creation_time", "creation_path", "wrapped_accessor")
_WRAP_OMITTED_WHEN_EMPTY = "wrapped_accessor"


def order_keys(body: Body, names: tuple[str, ...]) -> Body:
    """The named keys in that order; absent ones are null, but for those Vault leaves out when empty."""
    return {name: sort_keys(body.get(name)) for name in names if name != _WRAP_OMITTED_WHEN_EMPTY or body.get(name)}


def sort_keys(value: Any) -> Any:
    """The same value with every map's keys sorted, as Go prints maps."""
    if isinstance(value, dict):
        return {key: sort_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sort_keys(item) for item in value]
    return value


def parse_secret(body: Body) -> Secret:
    """The secret in a decoded answer; whatever is of another type counts as absent.

    A body that has none of an envelope's parts (`sys/health`) is data itself, unless it only tells errors.
    """
    if not any(body.get(name) for name in ENVELOPE_KEYS) and set(body) - set(ENVELOPE_KEYS) - {"errors"}:
        body = {"data": body}
    warnings = body.get("warnings")
    data = body.get("data")
    auth = body.get("auth")
    wrap_info = body.get("wrap_info")
    return Secret(
        request_id=str(body.get("request_id") or ""),
        lease_id=str(body.get("lease_id") or ""),
        lease_duration=_integer(body.get("lease_duration")),
        renewable=body.get("renewable") is True,
        data=data if isinstance(data, dict) else None,
        warnings=[str(line) for line in warnings] if isinstance(warnings, list) and warnings else None,
        auth=auth if isinstance(auth, dict) else None,
        wrap_info=wrap_info if isinstance(wrap_info, dict) else None,
    )


def _integer(value: Any) -> int:
    return value if isinstance(value, int) else 0
