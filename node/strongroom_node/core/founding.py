"""What a cluster gets once, when it is first unsealed: its identity and its first mounts."""

import msgspec

from strongroom_node.core.mounts import Mount, MountTable, default_mounts, new_accessor
from strongroom_node.core.settings import Settings
from strongroom_node.sdk.timestamps import format_micros, micros
from strongroom_storage.crypto.entropy import random_bytes, random_uuid

PRODUCT_VERSION = "1.15.2+strongroom.0.1.0"
"""Semantic version for machines; clients that parse it see Vault 1.15.2."""


async def found(mounts: MountTable, settings: Settings, cluster_name: str, now: float) -> bool:
    """Write name, id and default mounts unless they are there. True if this made a new cluster."""
    is_new = not settings.read("cluster").get("id")
    if is_new:
        name = cluster_name or f"vault-cluster-{random_bytes(4).hex()}"
        await settings.write("cluster", {"name": name, "id": random_uuid()})
    known = mounts.all()
    for mount in default_mounts(now):
        if mount.path not in known:
            await mounts.add(mount)
    history = settings.read("versions")
    if PRODUCT_VERSION not in history:
        previous = next(reversed(history), None)
        installed = format_micros(micros(now))
        entry = {"build_date": "", "previous_version": previous, "timestamp_installed": installed}
        await settings.write("versions", {**history, PRODUCT_VERSION: entry})
    return is_new


def development_secrets(now: float, version: str) -> Mount:
    """The `secret/` mount of a development server."""
    return msgspec.convert(
        {
            "uuid": random_uuid(),
            "path": "secret/",
            "type": "kv",
            "accessor": new_accessor("kv"),
            "description": "key/value secret storage",
            "options": {"version": version},
            "created": now,
        },
        Mount,
    )
