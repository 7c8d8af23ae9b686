"""Password policies: a length, and sets of characters of which each password has a least number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from strongroom_node import hcl
from strongroom_node.policy.parse import decode_text, errors_occurred

LENGTH_MIN: Final = 4
LENGTH_MAX: Final = 100
"""The bounds Vault sets."""
CHARSET_MAX: Final = 65_536
_TRIES: Final = 64
"""Passwords drawn freely before one is built to fit; honest policies fit at the first few."""


class PasswordPolicyInvalid(ValueError):
    """The text is no password policy; the message is in Vault's words."""


@dataclass(frozen=True, slots=True)
class CharsetRule:
    """At least `count_min` characters must be from `charset`."""

    charset: str
    count_min: int = 0


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """How passwords are made."""

    length: int
    rules: tuple[CharsetRule, ...]

    @property
    def charset(self) -> str:
        """Every character of every rule, once."""
        return "".join(dict.fromkeys("".join(rule.charset for rule in self.rules)))


def parse_password_policy(text: str) -> PasswordPolicy:
    """Read a policy, HCL or JSON or base64 of it. Raises PasswordPolicyInvalid."""
    try:
        tree = hcl.parse(decode_text(text))
        policy = PasswordPolicy(_whole(tree, "length"), tuple(_rules(tree)))
    except hcl.HCLError as error:
        raise PasswordPolicyInvalid(f"invalid password policy: {error}") from None
    reasons = list(_faults(policy))
    if reasons:
        raise PasswordPolicyInvalid("invalid password policy: " + errors_occurred(reasons))
    if not LENGTH_MIN <= policy.length <= LENGTH_MAX:
        raise PasswordPolicyInvalid(f"passwords must be between {LENGTH_MIN} and {LENGTH_MAX} characters")
    return policy


def _faults(policy: PasswordPolicy) -> Iterator[str]:
    if policy.length <= 0:
        yield "length must be > 0"
    least = sum(rule.count_min for rule in policy.rules)
    if least > policy.length > 0:
        yield f"specified rules require at least {least} characters but {policy.length} is specified"
    if not policy.charset:
        yield "no charset specified"
    elif not policy.charset.isprintable():
        yield "non-printable character in charset"
    elif len(policy.charset) > CHARSET_MAX:
        yield f"charset has more than {CHARSET_MAX} characters"


def _rules(tree: hcl.ObjectValue) -> Iterator[CharsetRule]:
    for item in tree.named("rule"):
        if isinstance(item.value, hcl.Literal):
            raise hcl.HCLError(item.value.position, 'a rule is a block: rule "charset" { ... }')
    for block in hcl.blocks(tree, "rule"):
        kind = block.labels[0] if block.labels else ""
        if kind != "charset":
            reason = f"unable to parse rules: unable to parse rule {kind}: unrecognized rule type {kind}"
            raise PasswordPolicyInvalid(f"invalid password policy: {reason}")
        charset = block.body.find("charset")
        if charset is not None and not (isinstance(charset, hcl.Literal) and isinstance(charset.value, str)):
            raise hcl.HCLError(charset.position, "'charset' must be a string")
        yield CharsetRule("" if charset is None else charset.text, max(0, _whole(block.body, "min-chars")))


def _whole(tree: hcl.ObjectValue, name: str) -> int:
    value = tree.find(name)
    if value is None:
        return 0
    if isinstance(value, hcl.Literal) and value.kind is hcl.Kind.NUMBER and isinstance(value.value, int):
        return value.value
    raise hcl.HCLError(value.position, f"'{name}' must be a whole number")


class PasswordGenerator:
    """Makes passwords out of a source of random bytes."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        """`random_bytes(n)` gives n unpredictable bytes."""
        self._random_bytes = random_bytes

    def generate(self, policy: PasswordPolicy) -> str:
        """A password by the policy.

        Drawn freely and drawn again until it meets the rules, so all fitting passwords are equally likely.
        A policy that chance does not meet gets the least numbers first and a shuffle.
        """
        charset = policy.charset
        for _ in range(_TRIES):
            made = self._draw(charset, policy.length)
            if _meets(made, policy):
                return "".join(made)
        made = [char for rule in policy.rules for char in self._draw(rule.charset, rule.count_min)]
        made += self._draw(charset, policy.length - len(made))
        for last in range(len(made) - 1, 0, -1):
            other = self._below(last + 1)
            made[last], made[other] = made[other], made[last]
        return "".join(made)

    def _draw(self, charset: str, count: int) -> list[str]:
        return [charset[self._below(len(charset))] for _ in range(count)]

    def _below(self, bound: int) -> int:
        """A uniform number from 0 to `bound` - 1.

        Bytes that fall into the incomplete last multiple of `bound` are thrown away: taking the remainder of
        all would make the first characters of a set more likely.
        """
        width = 1 if bound <= 1 << 8 else 3
        limit = (1 << 8 * width) // bound * bound
        while True:
            number = int.from_bytes(self._random_bytes(width), "big")
            if number < limit:
                return number % bound


def _meets(made: list[str], policy: PasswordPolicy) -> bool:
    return all(sum(char in rule.charset for char in made) >= rule.count_min for rule in policy.rules if rule.count_min)
