"""`operator generate-root`: key holders make a root token together."""

import secrets
import string
from base64 import b64decode
from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.commands.pgp_keys import read_key
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import plain, wrap
from strongroom_node.cli.streams import NotTerminal
from strongroom_node.cli.table import columns
from strongroom_node.client.secret import Body

OTP_LENGTH_DEFAULT: Final = 28
STATUS_KEYS: Final = (
    "nonce",
    "started",
    "progress",
    "required",
    "complete",
    "encoded_token",
    "encoded_root_token",
    "pgp_fingerprint",
    "otp",
    "otp_length",
)
OTP_MADE: Final = (
    "A One-Time-Password has been generated for you and is shown in the OTP field. You will need this value to decode "
    "the resulting root token, so keep it safe."
)
NOT_STARTED: Final = (
    'No root generation is in progress. Start a root generation by running "{program} operator generate-root -init". '
)
OTP_LENGTH_TOLD: Final = (
    "If starting root generation using the OTP method and generating your own OTP, the length of the OTP string needs "
    "to be {length} characters in length."
)
NO_TERMINAL: Final = """An error occurred attempting to ask for the unseal key. The raw error message is
shown below, but usually this is because you attempted to pipe a value into the
command or you are executing outside of a terminal (tty). If you want to pipe
the value, pass "-" as the argument to read from stdin. The raw error was:  {error}"""


def _path(context: Context) -> str:
    """Which kind of token is made."""
    if context.flags.on("dr-token"):
        return "sys/replication/dr/secondary/generate-operation-token"
    return "sys/generate-recovery-token" if context.flags.on("recovery-token") else "sys/generate-root"


def _run(context: Context) -> int:
    flags = context.flags
    if flags.on("generate-otp"):
        return _generate_otp(context)
    if flags.text("decode"):
        return _decode(context)
    if flags.on("cancel"):
        context.call("Error canceling root token generation", "DELETE", f"{_path(context)}/attempt")
        context.streams.line("Success! Root token generation canceled (if it was started)")
        return OK
    if flags.on("init"):
        return _init(context)
    if flags.on("status"):
        return _print(context, _read(context))
    return _update(context)


def _read(context: Context) -> Body:
    return context.call("Error getting root generation status", "GET", f"{_path(context)}/attempt").data()


def _generate_otp(context: Context) -> int:
    try:
        length = int(_read(context).get("otp_length") or OTP_LENGTH_DEFAULT)
    except CommandFailed:  # a one-time password can be made without a server
        length = OTP_LENGTH_DEFAULT
    alphabet = string.ascii_letters + string.digits
    otp = "".join(secrets.choice(alphabet) for _ in range(min(length, 256)))
    if context.format != "table":
        return print_value(context, {"otp": otp, "otp_length": length})
    context.streams.raw(otp)
    return OK


def _decode(context: Context) -> int:
    encoded, otp = context.flags.text("decode"), context.flags.text("otp")
    encoded = context.streams.read_all().strip() if encoded == "-" else encoded
    if not otp:
        raise UsageFailed("Missing otp: use -otp to supply it")
    try:
        token = decode_token(encoded, otp)
    except ValueError as error:
        raise UsageFailed(f"Error decoding root token: {error}") from error
    if context.format != "table":
        return print_value(context, {"token": token})
    context.streams.line(token)
    return OK


def decode_token(encoded: str, otp: str) -> str:
    """The token hidden in `encoded` (base64 without padding) by XOR with the one-time password. Raises ValueError."""
    padded = encoded + "=" * (-len(encoded) % 4)
    try:
        hidden = b64decode(padded, validate=True)
    except ValueError as error:
        raise ValueError("error decoding base64'd token: illegal base64 data") from error
    key = otp.encode()
    if len(hidden) != len(key):
        raise ValueError(f"error xoring token: length of byte slices is not equivalent: {len(hidden)} != {len(key)}")
    return bytes(a ^ b for a, b in zip(hidden, key, strict=True)).decode("utf-8", "replace")


def _init(context: Context) -> int:
    flags = context.flags
    body: Body = {"otp": flags.text("otp")}
    if flags.text("pgp-key"):
        body = {"pgp_key": read_key("pgp-key", flags.text("pgp-key"))}
    status = context.call("Error initializing root generation", "PUT", f"{_path(context)}/attempt", body).data()
    if context.format == "table" and status.get("otp"):
        context.streams.note(wrap(OTP_MADE, 0))
    return _print(context, status)


def _update(context: Context) -> int:
    status = _read(context)
    if not status.get("started"):
        told = wrap(NOT_STARTED.format(program=context.program).strip(), 0)
        length = status.get("otp_length") or OTP_LENGTH_DEFAULT
        raise UsageFailed(f"{told}\n{wrap(OTP_LENGTH_TOLD.format(length=length), 0)}")
    nonce, key = context.flags.text("nonce"), _key(context, plain(status.get("nonce", "")))
    if not context.arguments:
        nonce = plain(status.get("nonce", ""))
    if not nonce:
        raise UsageFailed("Missing nonce value: specify it with the -nonce flag")
    body = {"key": key, "nonce": nonce}
    return _print(context, context.call("Error posting unseal key", "PUT", f"{_path(context)}/update", body).data())


def _key(context: Context, nonce: str) -> str:
    if context.arguments:
        given = context.arguments[0].strip()
        return context.streams.read_all().strip() if given == "-" else given
    if context.flags.on("non-interactive"):
        raise UsageFailed("Refusing to read from stdin with -non-interactive specified; specify the key as an argument")
    context.streams.note(f"Operation nonce: {nonce}")
    try:
        return context.streams.ask_hidden("Unseal Key (will be hidden): ").strip()
    except NotTerminal as error:
        raise UsageFailed(NO_TERMINAL.format(error=error)) from error


def _print(context: Context, status: Body) -> int:
    if context.format != "table":
        return print_value(context, {key: status[key] for key in STATUS_KEYS if key in status})
    rows: list[tuple[str, str]] = [
        ("Nonce", plain(status.get("nonce", ""))),
        ("Started", plain(bool(status.get("started")))),
        ("Progress", f"{plain(status.get('progress', 0))}/{plain(status.get('required', 0))}"),
        ("Complete", plain(bool(status.get("complete")))),
    ]
    rows += [(title, plain(status[key])) for key, title in _optional(status)]
    context.streams.line(columns(rows))
    return OK


def _optional(status: Body) -> list[tuple[str, str]]:
    has_token = bool(status.get("encoded_token"))
    names: list[tuple[str, Any]] = [
        ("pgp_fingerprint", "PGP Fingerprint"),
        ("encoded_token", "Encoded Token"),
        ("encoded_root_token", "" if has_token else "Root Token"),
        ("otp", "OTP"),
        ("otp_length", "OTP Length"),
    ]
    return [(key, title) for key, title in names if title and status.get(key)]


_OPTIONS: Final = (
    Flag("cancel", "Stop the generation in progress.", kind="bool"),
    Flag("decode", 'Decode this encoded token with -otp; "-" reads it from standard input.'),
    Flag("dr-token", "Make a token for a disaster recovery secondary.", kind="bool", is_hidden=True),
    Flag("generate-otp", "Make a one-time password for -init.", kind="bool"),
    Flag("init", "Start a generation.", kind="bool"),
    Flag("nonce", "The generation's nonce, which every key holder gives."),
    Flag("otp", "The one-time password that hides the token."),
    Flag("pgp-key", "A file with a public key to encrypt the token with, instead of -otp."),
    Flag("recovery-token", "Make a token for recovery mode.", kind="bool"),
    Flag("status", "Tell how far the generation is.", kind="bool"),
)
GENERATE_ROOT: Final = Command(
    "[options] [KEY]",
    """Makes a root token once enough key holders have handed in their keys.

    $ vault operator generate-root -init
    $ vault operator generate-root
    $ vault operator generate-root -decode=... -otp=...""",
    _run,
    flags=(FORMAT, *_OPTIONS),
    arguments_max=1,
)
