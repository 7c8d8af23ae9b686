"""`operator init`."""

from base64 import b64decode
from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, SERVER_ERROR, Command, Flag
from strongroom_node.cli.commands.pgp_keys import read_key, read_keys
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import wrap
from strongroom_node.client.secret import Body

SHARES_DEFAULT: Final = 5
THRESHOLD_DEFAULT: Final = 3
_COMMON: Final = "Common Options"
_RECOVERY: Final = "HSM and Seal Options"
INITIALIZED: Final = (
    "Vault initialized with {shares} key shares and a key threshold of {threshold}. Please securely distribute the "
    "key shares printed above. When the Vault is re-sealed, restarted, or stopped, you must supply at least "
    "{threshold} of these keys to unseal it before it can start servicing requests."
)
NOT_STORED: Final = (
    "Vault does not store the generated root key. Without at least {threshold} keys to reconstruct the root key, "
    "Vault will remain permanently sealed!"
)
REKEY: Final = (
    "It is possible to generate new unseal keys, provided you have a quorum of existing unseal keys shares. "
    'See "{program} operator rekey" for more information.'
)
RECOVERY: Final = (
    "Recovery key initialized with {shares} key shares and a key threshold of {threshold}. Please securely "
    "distribute the key shares printed above."
)


def _run(context: Context) -> int:
    if context.flags.on("status"):
        return _status(context)
    seal = context.call("", "GET", "sys/seal-status", is_certain=True).data()
    is_auto = bool(seal.get("recovery_seal"))
    body = request_body(context, is_auto=is_auto)
    answer = context.call("Error initializing", "PUT", "sys/init", body).data()
    shares = _shares(answer, body, is_auto=is_auto)
    if context.format != "table":
        return print_value(context, shares)
    for index, key in enumerate(shares["unseal_keys_b64"], 1):
        context.streams.line(f"Unseal Key {index}: {key}")
    for index, key in enumerate(shares["recovery_keys_b64"], 1):
        context.streams.line(f"Recovery Key {index}: {key}")
    context.streams.line(f"\nInitial Root Token: {shares['root_token']}")
    counts = {"shares": shares["unseal_shares"], "threshold": shares["unseal_threshold"]}
    if shares["unseal_keys_b64"] and counts["shares"]:
        for text in (INITIALIZED, NOT_STORED, REKEY):
            context.streams.line("\n" + wrap(text.format(**counts, program=context.program), 0))
    else:
        context.streams.line("\nSuccess! Vault is initialized")
    if shares["recovery_keys_b64"]:
        counts = {"shares": shares["recovery_keys_shares"], "threshold": shares["recovery_keys_threshold"]}
        context.streams.line("\n" + wrap(RECOVERY.format(**counts), 0))
    return OK


def request_body(context: Context, *, is_auto: bool) -> Body:
    """The body of `sys/init`: Shamir's seal gets unseal shares, any other recovery shares, each 5 and 3 by default."""
    flags = context.flags
    kind, other = ("recovery", "key") if is_auto else ("key", "recovery")
    counts: dict[str, int] = {}
    for prefix in (kind, other):
        name = "secret" if prefix == "key" else "recovery"
        for what, default in (("shares", SHARES_DEFAULT), ("threshold", THRESHOLD_DEFAULT)):
            flag = f"{prefix}-{what}"
            fallback = default if prefix == kind else 0
            counts[f"{name}_{what}"] = flags.number(flag) if flags.given(flag) else fallback
    if not is_auto:
        counts["recovery_shares"] = counts["recovery_threshold"] = 0
    root_key = flags.text("root-token-pgp-key")
    body: Body = {
        "secret_shares": counts["secret_shares"],
        "secret_threshold": counts["secret_threshold"],
        "pgp_keys": read_keys("pgp-keys", flags.many("pgp-keys")) or None,
        "recovery_shares": counts["recovery_shares"],
        "recovery_threshold": counts["recovery_threshold"],
        "recovery_pgp_keys": read_keys("recovery-pgp-keys", flags.many("recovery-pgp-keys")) or None,
        "root_token_pgp_key": read_key("root-token-pgp-key", root_key) if root_key else "",
    }
    if flags.given("stored-shares"):
        body["stored_shares"] = flags.number("stored-shares")
    return body


def _shares(answer: Body, body: Body, *, is_auto: bool) -> Body:
    keys = _texts(answer.get("keys_base64"))
    recovery = _texts(answer.get("recovery_keys_base64"))
    return {
        "unseal_keys_b64": keys,
        "unseal_keys_hex": _texts(answer.get("keys")),
        "unseal_shares": 1 if is_auto and not body["secret_shares"] else body["secret_shares"],
        "unseal_threshold": 1 if is_auto and not body["secret_threshold"] else body["secret_threshold"],
        "recovery_keys_b64": recovery,
        "recovery_keys_hex": _texts(answer.get("recovery_keys")) or [_hex(key) for key in recovery],
        "recovery_keys_shares": body["recovery_shares"],
        "recovery_keys_threshold": body["recovery_threshold"],
        "root_token": str(answer.get("root_token") or ""),
    }


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _hex(text: str) -> str:
    try:
        return b64decode(text).hex()
    except ValueError:
        return ""


def _status(context: Context) -> int:
    is_initialized = bool(context.call("", "GET", "sys/init").data().get("initialized"))
    if context.format != "table":
        print_value(context, {"Initialized": is_initialized})
    else:
        context.streams.line("Vault is initialized" if is_initialized else "Vault is not initialized")
    return OK if is_initialized else SERVER_ERROR


INIT: Final = Command(
    "[options]",
    """Initializes a server: makes its keys, splits the unseal key into shares, and prints them once.

    $ vault operator init
    $ vault operator init -key-shares=3 -key-threshold=2""",
    _run,
    flags=(
        FORMAT,
        Flag("key-shares", "How many unseal keys to make.", kind="int", default="5", aliases=("n",), section=_COMMON),
        Flag("key-threshold", "How many of them unseal.", kind="int", default="3", aliases=("t",), section=_COMMON),
        Flag(
            "pgp-keys",
            "Files with public keys to encrypt the unseal keys with, one for each share, with commas.",
            kind="strings",
            section=_COMMON,
        ),
        Flag("root-token-pgp-key", "A file with a public key to encrypt the root token with.", section=_COMMON),
        Flag("status", "Only tell whether the server is initialized: exit code 0 or 2.", kind="bool", section=_COMMON),
        Flag("recovery-shares", "How many recovery keys to make.", kind="int", default="5", section=_RECOVERY),
        Flag("recovery-threshold", "How many of them count.", kind="int", default="3", section=_RECOVERY),
        Flag(
            "recovery-pgp-keys",
            "Files with public keys to encrypt the recovery keys with.",
            kind="strings",
            section=_RECOVERY,
        ),
        Flag(
            "stored-shares",
            "Has no effect; kept for old scripts.",
            kind="int",
            default="1",
            section=_RECOVERY,
            is_hidden=True,
        ),
    ),
)
