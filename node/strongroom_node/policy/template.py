"""Identity templates in policy paths: `secret/data/{{identity.entity.name}}/*`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from strongroom_node.policy.rules import PathRule, Policy


class TemplateInvalid(ValueError):
    """The braces of a template do not pair up."""


@dataclass(frozen=True, slots=True)
class AliasContext:
    """What templates may use of an alias of the caller's entity."""

    id: str
    name: str
    mount_accessor: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    custom_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupContext:
    """What templates may use of a group the caller is in, directly or through another group."""

    id: str
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdentityContext:
    """The caller as templates see it; compared by value."""

    id: str
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[AliasContext, ...] = ()
    groups: tuple[GroupContext, ...] = ()


def check_template(path: str) -> bool:
    """True if the path holds templates. Raises TemplateInvalid if braces do not pair up."""
    first, *rest = path.split("{{")
    if "}}" in first or any(piece.count("}}") != 1 for piece in rest):
        raise TemplateInvalid("unbalanced templating characters")
    return bool(rest)


def fill_path(path: str, identity: IdentityContext | None) -> str | None:
    """The path with its templates filled in, or None if one has no value.

    A value that is empty, or holds `/`, `+` or `*`, counts as none: it would make the rule match other
    paths than its author meant, and callers may choose their names.
    """
    first, *rest = path.split("{{")
    made = [first]
    for piece in rest:
        selector, _, literal = piece.partition("}}")
        value = "" if identity is None else _select(selector.strip(), identity)
        if not value or any(char in value for char in "/+*"):
            return None
        made += (value, literal)
    return "".join(made)


def fill_policy(policy: Policy, identity: IdentityContext | None) -> Policy:
    """The policy as it stands for this caller: templated paths filled in, those without a value left out."""
    if not policy.is_templated:
        return policy
    rules: list[PathRule] = []
    for rule in policy.rules:
        if not rule.is_templated:
            rules.append(rule)
        elif (path := fill_path(rule.path, identity)) is not None:
            rules.append(replace(rule, path=path))
    return replace(policy, rules=tuple(rules))


def _select(selector: str, identity: IdentityContext) -> str:
    """The value a selector names; empty if there is none."""
    if selector.startswith("identity.entity."):
        return _of_entity(selector.removeprefix("identity.entity."), identity)
    if selector.startswith("identity.groups."):
        return _of_group(selector.removeprefix("identity.groups."), identity.groups)
    return ""


def _of_entity(selector: str, identity: IdentityContext) -> str:
    if selector == "id":
        return identity.id
    if selector == "name":
        return identity.name
    kind, _, rest = selector.partition(".")
    if kind == "metadata":
        return identity.metadata.get(rest, "")
    if kind == "aliases":
        accessor, _, what = rest.partition(".")
        alias = next((alias for alias in identity.aliases if alias.mount_accessor == accessor), None)
        return "" if alias is None else _of_alias(what, alias)
    return ""


def _of_alias(selector: str, alias: AliasContext) -> str:
    if selector == "id":
        return alias.id
    if selector == "name":
        return alias.name
    kind, _, key = selector.partition(".")
    if kind == "metadata":
        return alias.metadata.get(key, "")
    return alias.custom_metadata.get(key, "") if kind == "custom_metadata" else ""


def _of_group(selector: str, groups: tuple[GroupContext, ...]) -> str:
    kind, _, rest = selector.partition(".")
    wanted, _, what = rest.partition(".")
    if kind not in ("ids", "names"):
        return ""
    group = next((group for group in groups if (group.id if kind == "ids" else group.name) == wanted), None)
    if group is None:
        return ""
    if what == "id":
        return group.id
    if what == "name":
        return group.name
    return group.metadata.get(what.removeprefix("metadata."), "") if what.startswith("metadata.") else ""
