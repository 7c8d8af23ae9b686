"""A token as it is stored and as engines see it."""

import msgspec


class TokenEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything known of one token, without the token itself.

    `key` is the salted id (never the id). Times are Unix seconds, durations seconds; `expire_time` 0 means never.
    `num_uses` 0 means no limit, -1 that the last use has begun.
    """

    key: str
    accessor: str = ""
    parent: str = ""
    policies: tuple[str, ...] = ()
    path: str = ""
    meta: dict[str, str] = {}
    display_name: str = ""
    num_uses: int = 0
    creation_time: float = 0.0
    creation_ttl: float = 0.0
    expire_time: float = 0.0
    last_renewal: float = 0.0
    explicit_max_ttl: float = 0.0
    max_ttl: float = 0.0
    period: float = 0.0
    renewable: bool = False
    type: str = "service"
    entity_id: str = ""
    role: str = ""
    bound_cidrs: tuple[str, ...] = ()
    no_default_policy: bool = False
    lease_id: str = ""
    internal: dict[str, object] = {}
    ttl: float = 0.0
    """Seconds granted last: what a renewal without an increment asks for again."""
    revoked: str = ""
    """Set while the revocation is being carried out: "tree" takes the children along, "spare" makes them orphans."""
    due: float = 0.0
    """Where the token stands in the index of what is due; 0 if it does not."""

    def __repr__(self) -> str:
        """Without metadata and what the auth method keeps with it."""
        return f"<TokenEntry {self.display_name or self.type} at {self.path}>"

    @property
    def is_root(self) -> bool:
        """True if the token carries the root policy."""
        return "root" in self.policies

    @property
    def is_orphan(self) -> bool:
        """True if no other token's revocation takes this one along."""
        return not self.parent
