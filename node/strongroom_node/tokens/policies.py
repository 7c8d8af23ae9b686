"""Policy names as tokens carry them."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

ROOT: Final = "root"
DEFAULT: Final = "default"
WRAPPING: Final = "response-wrapping"
NOT_ASSIGNABLE: Final = frozenset({WRAPPING, "control-group"})


def sanitized(names: Iterable[str], *, add_default: bool) -> tuple[str, ...]:
    """Lower-case, stripped, sorted, each once; `root` stands alone; `default` joins if asked and there is no root."""
    found = {name.strip().lower() for name in names} - {""}
    if ROOT in found:
        return (ROOT,)
    if add_default:
        found.add(DEFAULT)
    return tuple(sorted(found))


def deduplicated(names: Iterable[str]) -> tuple[str, ...]:
    """Lower-case, stripped, sorted, each once."""
    return tuple(sorted({name.strip().lower() for name in names} - {""}))


def matches_any(name: str, globs: Iterable[str]) -> bool:
    """True if a name fits one of the patterns; `*` stands for any characters, nothing else is special."""
    return any(fnmatchcase(name, glob.replace("[", "[[]").replace("?", "[?]")) for glob in globs)
