"""Shamir's secret sharing over GF(2^8), byte for byte in Vault's share format.

A share is the polynomial's values (one byte for each byte of the secret) and then its x coordinate.
The field is GF(2)[z] modulo z^8 + z^4 + z^3 + z + 1 (0x11b).

Everything secret is a *vector*: all bytes of a secret in one integer, eight bits a lane. The only product
needed is vector times public scalar (an x coordinate, or what follows from x coordinates alone). It takes
the same shifts, masks and additions whatever the lanes hold: no table is indexed and no branch is taken on
a secret. What CPython itself does with integers of equal length is the limit of that claim.

Source: A. Shamir, "How to share a secret", 1979; FIPS 197 §4.2 for the field.
"""

from collections.abc import Callable, Sequence
from typing import Final

from strongroom_storage.seal.errors import PlanInvalid, ShareInvalid

SHARES_MAX: Final = 255
"""As many as there are x coordinates other than zero, where the secret lies."""

SHARE_OVERHEAD_BYTES: Final = 1

_REDUCTION: Final = 0x1B
_ORDER_KEY_BYTES: Final = 8


def _multiply_lanes(lanes: int, scalar: int, width: int) -> int:
    """Every lane of `lanes` (`width` bytes) times the public `scalar`."""
    ones = int.from_bytes(b"\x01" * width)
    low_bits = ones * 0x7F
    product = 0
    for bit in range(8):
        product ^= lanes * (scalar >> bit & 1)
        carries = lanes >> 7 & ones
        lanes = (lanes & low_bits) << 1 ^ carries * _REDUCTION
    return product


def multiply(left: int, right: int) -> int:
    """The product of two field elements, 0 <= each <= 255."""
    return _multiply_lanes(left, right, 1)


def invert(element: int) -> int:
    """The element whose product with `element` is 1, by Fermat: element^254. Zero gives zero."""
    result = 1
    power = element
    for _ in range(7):
        power = multiply(power, power)
        result = multiply(result, power)
    return result


def _coordinates(count: int, entropy: Callable[[int], bytes]) -> list[int]:
    """Distinct x coordinates out of 1..255, in random order from one draw, so that bad entropy cannot loop."""
    keys = entropy(SHARES_MAX * _ORDER_KEY_BYTES)
    order = sorted(range(1, SHARES_MAX + 1), key=lambda x: keys[(x - 1) * _ORDER_KEY_BYTES : x * _ORDER_KEY_BYTES])
    return order[:count]


def _weights(coordinates: Sequence[int]) -> list[int]:
    """Lagrange's weights at zero: for each x the product of other / (other - x). One inversion for each share."""
    everything = 1
    for x in coordinates:
        everything = multiply(everything, x)
    weights = []
    for x in coordinates:
        denominator = x  # takes x itself out of the product of everything
        for other in coordinates:
            if other != x:
                denominator = multiply(denominator, other ^ x)
        weights.append(multiply(everything, invert(denominator)))
    return weights


def split(secret: bytes, shares: int, threshold: int, entropy: Callable[[int], bytes]) -> list[bytes]:
    """Split `secret` so that any `threshold` of the `shares` open it and fewer say nothing about it.

    `entropy(n)` returns n random bytes. Every share is one byte longer than the secret.
    Raises PlanInvalid.
    """
    if not secret:
        raise PlanInvalid("cannot split an empty secret")
    if shares > SHARES_MAX:
        raise PlanInvalid("parts cannot exceed 255")
    if threshold < 2:  # a threshold of one would hand out the secret itself
        raise PlanInvalid("threshold must be at least 2")
    if shares < threshold:
        raise PlanInvalid("parts cannot be less than threshold")
    width = len(secret)
    coefficients = [int.from_bytes(entropy(width)) for _ in range(threshold - 1)]
    constant = int.from_bytes(secret)
    made = []
    for x in _coordinates(shares, entropy):
        value = 0
        for coefficient in coefficients:
            value = _multiply_lanes(value ^ coefficient, x, width)
        made.append((value ^ constant).to_bytes(width) + bytes((x,)))
    return made


def combine(shares: Sequence[bytes]) -> bytes:
    """The secret, by Lagrange's formula at zero.

    Shares of another secret, or too few, give *some* bytes: whoever calls must check what came out.
    Raises ShareInvalid for shares that cannot come from one split.
    """
    if len(shares) < 2:
        raise ShareInvalid("less than two parts cannot be used to reconstruct the secret")
    length = len(shares[0])
    if length <= SHARE_OVERHEAD_BYTES:
        raise ShareInvalid("parts must be at least two bytes")
    if any(len(share) != length for share in shares):
        raise ShareInvalid("all parts must be the same length")
    coordinates = [share[-1] for share in shares]
    if 0 in coordinates:  # such a "share" would be the secret it pretends to lead to
        raise ShareInvalid("part with a zero coordinate detected")
    if len(set(coordinates)) != len(coordinates):
        raise ShareInvalid("duplicate part detected")
    width = length - SHARE_OVERHEAD_BYTES
    secret = 0
    for share, weight in zip(shares, _weights(coordinates), strict=True):
        secret ^= _multiply_lanes(int.from_bytes(share[:width]), weight, width)
    return secret.to_bytes(width)
