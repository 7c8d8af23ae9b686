"""JSON merge patch over undecoded JSON, so that what a patch does not touch stays as it was written.

Source: RFC 7386 §2.
"""

import msgspec

from strongroom_node.engines.kv.body import DEPTH_MAX, decode_members
from strongroom_node.sdk.errors import BadRequest

_encode = msgspec.json.Encoder().encode


def merge_patch(target: bytes, patch: bytes, depth: int = 0) -> bytes:
    """The target after the patch. Both are one JSON value without surrounding space; an empty target is absent.

    Raises BadRequest if the patch nests deeper than `DEPTH_MAX`.
    """
    if not patch.startswith(b"{"):
        return patch
    if depth > DEPTH_MAX:
        raise BadRequest(f"the patch is nested more than {DEPTH_MAX} levels deep")
    members = decode_members(target) if target.startswith(b"{") else {}
    for name, raw in decode_members(patch).items():
        change = bytes(raw)
        if change == b"null":
            members.pop(name, None)
        else:
            before = bytes(members[name]) if name in members else b""
            members[name] = msgspec.Raw(merge_patch(before, change, depth + 1))
    return _encode(members)
