"""`seal "TYPE"`: what opens the barrier."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from strongroom_node.config import values
from strongroom_node.config.decode import decode
from strongroom_node.config.report import Place, Report
from strongroom_node.hcl import Block, HCLError, Literal, Value

_NAMES: Final[Mapping[str, str]] = {
    "shamir": "",
    "static": "current_key_id current_key previous_key_id previous_key",
    "transit": (
        "address token key_name mount_path namespace disable_renewal tls_ca_cert tls_client_cert tls_client_key"
        " tls_server_name tls_skip_verify key_id_prefix"
    ),
    "awskms": (
        "region access_key secret_key session_token shared_creds_filename shared_creds_profile endpoint kms_key_id"
        " web_identity_token_file role_session_name role_arn disallow_env_vars"
    ),
    "azurekeyvault": "tenant_id client_id client_secret environment vault_name key_name resource",
    "gcpckms": "credentials project region key_ring crypto_key user_agent",
    "alicloudkms": "region domain access_key secret_key kms_key_id",
    "ocikms": "key_id crypto_endpoint management_endpoint auth_type_api_key",
    "pkcs11": (
        "lib slot token_label pin key_label default_key_label key_id hmac_key_label default_hmac_key_label"
        " hmac_key_id mechanism hmac_mechanism generate_key force_rw_session max_parallel rsa_encrypt_local"
        " rsa_oaep_hash rsa_oaep_label disable_software_encryption"
    ),
    "kmip": ("kms_key_id endpoint client_cert client_key ca_cert server_name timeout encrypt_alg tls12_ciphers"),
    "ovhcloud": "endpoint kms_id key_id token client_cert client_key ca_cert",
    "tcloudpublic": "key_id region project access_key secret_key identity_endpoint",
}
"""Parameters of every seal of Vault 1.15 and OpenBao; each is a scalar."""

_COMMON: Final[Mapping[str, tuple[str, Callable[[str, Value], Any]]]] = {
    "type": ("type", values.text),
    "name": ("name", values.text),
    "priority": ("priority", values.whole),
    "disabled": ("disabled", values.boolean),
}


@dataclass(frozen=True, slots=True)
class SealConfig:
    """One seal stanza. `settings` go to the seal as they were written and hold its secrets."""

    type: str = "shamir"
    name: str = ""
    priority: int = 0
    disabled: bool = False
    """The seal that a migration leaves."""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    place: Place | None = field(default=None, compare=False)


def decode_seal(block: Block, report: Report) -> SealConfig:
    """Read one stanza. Raises HCLError."""
    kind = block.labels[0] if block.labels else ""
    if not kind and isinstance(found := block.body.find("type"), Literal):
        kind = found.text
    if not kind:
        raise HCLError(block.position, "seal type must be specified")
    kind = kind.lower()
    known = _NAMES[kind].split() if kind in _NAMES else [item.name for item in block.body.items]
    readers: dict[str, tuple[str, Callable[[str, Value], Any]]] = {name: (name, values.text) for name in known}
    readers |= _COMMON
    given = decode(readers, block.body, report)
    given.pop("type", None)
    return SealConfig(
        kind,
        name=given.pop("name", ""),
        priority=given.pop("priority", 0),
        disabled=given.pop("disabled", False),
        settings=given,
        place=report.place(block.position),
    )
