"""`operator rekey`: key holders make new unseal or recovery keys together."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, Command, Flag, UsageFailed
from strongroom_node.cli.commands.pgp_keys import read_keys
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret, print_value
from strongroom_node.cli.plain import plain, wrap
from strongroom_node.cli.streams import NotTerminal
from strongroom_node.cli.table import key_value
from strongroom_node.client.secret import Body

_COMMON: Final = "Common Options"
_BACKUP: Final = "Backup Options"
NOT_PROTECTED: Final = (
    "WARNING! If you lose the keys after they are returned, there is no recovery. Consider canceling this operation "
    "and re-initializing with the -pgp-keys flag to protect the returned unseal keys along with -backup to allow "
    "recovery of the encrypted keys in case of emergency. You can delete the stored keys later using the -delete flag."
)
NOT_BACKED_UP: Final = (
    "WARNING! You are using PGP keys for encrypted the resulting unseal keys, but you did not enable the option to "
    "backup the keys to Vault's core. If you lose the encrypted keys after they are returned, you will not be able to "
    "recover them. Consider canceling this operation and re-running with -backup to allow recovery of the encrypted "
    "unseal keys in case of emergency. You can delete the stored keys later using the -delete flag."
)
DONE: Final = (
    "Vault {kind} keys rekeyed to {shares} key shares and a key threshold of {threshold}. Please securely distribute "
    "the key shares printed above. When Vault is re-sealed, restarted, or stopped, you must supply at least "
    "{threshold} of these keys to unseal it before it can start servicing requests."
)
DONE_RECOVERY: Final = (
    "Vault {kind} keys rekeyed to {shares} key shares and a key threshold of {threshold}. Please securely distribute "
    "the key shares printed above."
)
VERIFY: Final = (
    "Vault has created a new {kind} key, split into {shares} key shares and a key threshold of {threshold}. These "
    "will not be active until after verification is complete. Please securely distribute the key shares printed above. "
    "When Vault is re-sealed, restarted, or stopped, you must supply at least {threshold} of these keys to unseal it "
    "before it can start servicing requests."
)
VERIFY_FOLLOWS: Final = (
    "Again, these key shares are _not_ valid until verification is performed. Do not lose or discard your current key "
    "shares until after verification is complete or you will be unable to {use} Vault. If you cancel the rekey "
    "process or seal Vault before verification is complete the new shares will be discarded and the current shares "
    "will remain valid."
)
NO_TERMINAL: Final = """An error occurred attempting to ask for the unseal key. The raw error message is
shown below, but usually this is because you attempted to pipe a value into the
command or you are executing outside of a terminal (tty). If you want to pipe
the value, pass "-" as the argument to read from stdin. The raw error was:  {error}"""


def _kind(context: Context) -> str:
    """The keys meant: those of the barrier, or the recovery keys of an automatic seal. Raises UsageFailed."""
    target = context.flags.text("target").strip().lower()
    if target in {"barrier", ""}:
        return "unseal"
    if target in {"recovery", "hsm"}:
        return "recovery"
    raise UsageFailed(f"Unknown target: {context.flags.text('target')}")


def _base(context: Context) -> str:
    return "sys/rekey-recovery-key" if _kind(context) == "recovery" else "sys/rekey"


def _run(context: Context) -> int:
    flags = context.flags
    base = _base(context)
    step = "verify" if flags.on("verify") else "init"
    if flags.on("backup-delete"):
        backup = "recovery-backup" if _kind(context) == "recovery" else "backup"
        context.call("Error deleting backed up keys", "DELETE", f"sys/rekey/{backup}")
        context.streams.line("Success! Deleted backed up keys (if they existed)")
        return OK
    if flags.on("backup-retrieve"):
        backup = "recovery-backup" if _kind(context) == "recovery" else "backup"
        reply = context.call("Error retrieving rekey backed up keys", "GET", f"sys/rekey/{backup}")
        return print_secret(context, reply.secret())
    if flags.on("cancel"):
        context.call("Error canceling rekey", "DELETE", f"{base}/{step}")
        context.streams.line("Success! Canceled rekeying (if it was started)")
        return OK
    if flags.on("init"):
        return _init(context, base)
    if flags.on("status"):
        return _print(context, context.call("Error reading rekey status", "GET", f"{base}/{step}").data())
    return _update(context, base)


def _init(context: Context, base: str) -> int:
    flags = context.flags
    keys = read_keys("pgp-keys", flags.many("pgp-keys"))
    body: Body = {
        "secret_shares": flags.number("key-shares"),
        "secret_threshold": flags.number("key-threshold"),
        "pgp_keys": keys or None,
        "backup": flags.on("backup"),
        "require_verification": flags.on("verify"),
    }
    status = context.call("Error initializing rekey", "PUT", f"{base}/init", body).data()
    if context.format == "table" and not keys:
        context.streams.note(wrap(NOT_PROTECTED, 0) + "\n")
    elif context.format == "table" and not flags.on("backup"):
        context.streams.note(wrap(NOT_BACKED_UP, 0) + "\n")
    return _print(context, status)


def _update(context: Context, base: str) -> int:
    is_verification = context.flags.on("verify")
    step, verb = ("verify", "verify") if is_verification else ("init", "update")
    status = context.call("Error getting rekey status", "GET", f"{base}/{step}").data()
    is_started = bool(status.get("started")) or bool(is_verification and status.get("nonce"))
    if not is_started:
        raise UsageFailed(
            wrap(
                f'No rekey is in progress. Start a rekey process by running "{context.program} operator rekey -init".',
                0,
            ),
        )
    nonce, key = _key_and_nonce(context, plain(status.get("nonce", "")))
    answer = context.call("Error posting unseal key", "PUT", f"{base}/{verb}", {"key": key, "nonce": nonce}).data()
    if not answer.get("complete"):
        current = context.call("Error getting rekey status", "GET", f"{base}/{step}").data()
        return _print(context, current)
    if is_verification:
        context.streams.line("Success! Rekey verification completed; the new keys are now active.")
        return OK
    return _print_keys(context, status, answer)


def _key_and_nonce(context: Context, current: str) -> tuple[str, str]:
    """The nonce and the key. A key typed as an argument must come with the nonce it is meant for."""
    nonce = context.flags.text("nonce")
    if context.arguments:
        given = context.arguments[0].strip()
        key = context.streams.read_all().strip() if given == "-" else given
        if not nonce:
            raise UsageFailed("Missing nonce value: specify it via the -nonce flag")
        return nonce, key
    if context.flags.on("non-interactive"):
        raise UsageFailed("Refusing to read from stdin with -non-interactive specified; specify the key as an argument")
    context.streams.note(f"Rekey operation nonce: {current}")
    try:
        return nonce or current, context.streams.ask_hidden("Unseal Key (will be hidden): ").strip()
    except NotTerminal as error:
        raise UsageFailed(NO_TERMINAL.format(error=error)) from error


def _print(context: Context, status: Body) -> int:
    if context.format != "table":
        return print_value(context, status)
    rows = [("Nonce", plain(status.get("nonce", ""))), ("Started", plain(bool(status.get("started"))))]
    if status.get("started"):
        required = status.get("required", status.get("t", 0))  # a verification has only its threshold
        rows += [
            ("Progress", f"{plain(status.get('progress', 0))}/{plain(required)}"),
            ("New Shares", plain(status.get("n", 0))),
            ("New Threshold", plain(status.get("t", 0))),
        ]
        if "verification_required" in status:
            rows.append(("Verification Required", plain(bool(status["verification_required"]))))
        if status.get("verification_nonce"):
            rows.append(("Verification Nonce", plain(status["verification_nonce"])))
    fingerprints = status.get("pgp_fingerprints")
    if isinstance(fingerprints, list) and fingerprints:
        rows += [("PGP Fingerprints", plain(fingerprints)), ("Backup", plain(bool(status.get("backup"))))]
    context.streams.line(key_value(rows))
    return OK


def _print_keys(context: Context, status: Body, answer: Body) -> int:
    if context.format != "table":
        return print_value(context, answer)
    keys = _texts(answer.get("keys_base64"))
    fingerprints = _texts(answer.get("pgp_fingerprints"))
    context.streams.line()
    for index, key in enumerate(keys):
        mark = f" fingerprint: {fingerprints[index]}; value" if index < len(fingerprints) else ""
        context.streams.line(f"Key {index + 1}{mark}: {key}")
    context.streams.line(f"\nOperation nonce: {plain(answer.get('nonce', ''))}")
    kind = _kind(context)
    counts = {"shares": plain(status.get("n", 0)), "threshold": plain(status.get("t", 0)), "kind": kind}
    if answer.get("verification_required"):
        context.streams.line("\n" + wrap(VERIFY.format(**counts), 0))
        use = "unseal" if kind == "unseal" else "perform operations on"
        context.streams.line("\n" + wrap(VERIFY_FOLLOWS.format(use=use), 0))
        context.streams.line(f"\nVerification nonce: {plain(answer.get('verification_nonce', ''))}")
        return OK
    context.streams.line("\n" + wrap((DONE if kind == "unseal" else DONE_RECOVERY).format(**counts), 0))
    return OK


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


REKEY: Final = Command(
    "[options] [KEY]",
    """Makes new unseal keys once enough holders have handed in the present ones.

    $ vault operator rekey -init -key-shares=5 -key-threshold=3
    $ vault operator rekey""",
    _run,
    flags=(
        FORMAT,
        Flag("cancel", "Stop the rekey in progress.", kind="bool", section=_COMMON),
        Flag("init", "Start a rekey.", kind="bool", section=_COMMON),
        Flag("key-shares", "How many keys to make.", kind="int", default="5", aliases=("n",), section=_COMMON),
        Flag("key-threshold", "How many of them count.", kind="int", default="3", aliases=("t",), section=_COMMON),
        Flag("nonce", "The rekey's nonce, which every key holder gives.", section=_COMMON),
        Flag("pgp-keys", "Files with public keys to encrypt the keys with.", kind="strings", section=_COMMON),
        Flag("status", "Tell how far the rekey is.", kind="bool", section=_COMMON),
        Flag(
            "target",
            'Which keys: "barrier" or "recovery".',
            default="barrier",
            choices=("barrier", "recovery"),
            section=_COMMON,
        ),
        Flag("verify", "Ask for proof of the new keys (with -init), or give it.", kind="bool", section=_COMMON),
        Flag(
            "backup", "Keep an encrypted copy of the keys in the server; needs -pgp-keys.", kind="bool", section=_BACKUP
        ),
        Flag("backup-delete", "Delete the copy.", kind="bool", section=_BACKUP),
        Flag("backup-retrieve", "Print the copy.", kind="bool", section=_BACKUP),
    ),
    arguments_max=1,
)
