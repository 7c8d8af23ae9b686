"""Where identity keeps what, below `identity/`.

entity/id/<id>                      record
entity/name/<name>                  id | name as given
entity/merged/<id>                  id of the entity that took it in
entity/group/<id>/<group>           the entity's groups
alias/id/<id>                       id of the entity
alias/name/<accessor>/<name>        id | id of the entity
group/id/<id>, group/name/<name>    as for entities
group/member/<id>/<entity>          the group's entities
group/child/<id>/<group>            the group's groups
group/parent/<id>/<group>           the groups that the group is in
group-alias/id/<id>, group-alias/name/<accessor>/<name>
"""

from hashlib import sha256
from typing import Final
from urllib.parse import quote

ENTITY: Final = "entity/id/"
ENTITY_NAME: Final = "entity/name/"
ENTITY_MERGED: Final = "entity/merged/"
ENTITY_GROUP: Final = "entity/group/"
ALIAS: Final = "alias/id/"
ALIAS_NAME: Final = "alias/name/"
GROUP: Final = "group/id/"
GROUP_NAME: Final = "group/name/"
GROUP_MEMBER: Final = "group/member/"
GROUP_CHILD: Final = "group/child/"
GROUP_PARENT: Final = "group/parent/"
GROUP_ALIAS: Final = "group-alias/id/"
GROUP_ALIAS_NAME: Final = "group-alias/name/"

PRESENT: Final = b"1"
"""The value of keys that matter by being there."""

_NAME_BYTES_MAX: Final = 200
_UUID_CHARACTERS: Final = 36


def name_key(name: str) -> str:
    """A name as one segment of a key. Names that differ in case only have the same key, others never.

    Long names become a hash behind a mark that quoting cannot give, so that nobody can choose a name whose key is
    another's.
    """
    quoted = quote(name.lower(), safe="", errors="surrogatepass")
    if len(quoted) > _NAME_BYTES_MAX:
        return "!" + sha256(name.lower().encode("utf-8", "surrogatepass")).hexdigest()
    return quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted or "!"


def is_id(text: str) -> bool:
    """True if the text may be an id: nothing else may become part of a key."""
    return len(text) == _UUID_CHARACTERS and text.isascii() and text.replace("-", "").isalnum()


def pair(first: str, second: str) -> bytes:
    """An id and another text in one value."""
    return (first + second).encode()


def split(value: bytes) -> tuple[str, str]:
    """The two parts of `pair`."""
    text = value.decode()
    return text[:_UUID_CHARACTERS], text[_UUID_CHARACTERS:]
