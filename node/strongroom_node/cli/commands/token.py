"""`token lookup`, `renew`, `revoke` and `capabilities`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, MANY, OK, Command, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret, print_value
from strongroom_node.client.durations import SECOND

ACCESSOR: Final = Flag("accessor", "The argument is an accessor, not a token.", kind="bool")


def _lookup(context: Context) -> int:
    doing = "Error looking up token"
    is_accessor = context.flags.on("accessor")
    if is_accessor and not context.arguments:
        raise UsageFailed("Not enough arguments with -accessor (expected 1, got 0)")
    if not context.arguments:
        return print_secret(context, context.call(doing, "GET", "auth/token/lookup-self").secret())
    given = context.arguments[0].strip()
    if is_accessor:
        reply = context.call(doing, "POST", "auth/token/lookup-accessor", {"accessor": given})
    else:
        reply = context.call(doing, "POST", "auth/token/lookup", {"token": given})
    return print_secret(context, reply.secret())


def _renew(context: Context) -> int:
    doing, increment = "Error renewing token", context.flags.number("increment") // SECOND
    if not context.arguments:
        reply = context.call(doing, "PUT", "auth/token/renew-self", {"increment": increment})
        return print_secret(context, reply.secret())
    given = context.arguments[0].strip()
    if context.flags.on("accessor"):
        body = {"accessor": given, "increment": increment}
        reply = context.call(doing, "POST", "auth/token/renew-accessor", body)
    else:
        reply = context.call(doing, "PUT", "auth/token/renew", {"increment": increment, "token": given})
    return print_secret(context, reply.secret())


def _check_revoke(context: Context) -> None:
    """Refuse flags that contradict each other. Raises UsageFailed."""
    flags, count = context.flags, len(context.arguments)
    mode, is_accessor = flags.text("mode"), flags.on("accessor")
    if flags.on("self") and count:
        raise UsageFailed(f"Too many arguments with -self (expected 0, got {count})")
    if not flags.on("self") and count != 1:
        amount = "Too many" if count else "Not enough"
        raise UsageFailed(f"{amount} arguments (expected 1 or -self, got {count})")
    if flags.on("self") and (is_accessor or mode):
        raise UsageFailed(f"Cannot use -self with {'-accessor' if is_accessor else '-mode'}")
    if is_accessor and mode in {"orphan", "path"}:
        raise UsageFailed(f"Cannot use -accessor with -mode={mode}")
    if mode not in {"", "orphan", "path"}:
        raise UsageFailed(f"Invalid mode: {mode}")


def _revoke(context: Context) -> int:
    _check_revoke(context)
    flags, given = context.flags, [argument.strip() for argument in context.arguments]
    mode, is_accessor, is_self = flags.text("mode"), flags.on("accessor"), flags.on("self")
    doing = "Error revoking token"
    if is_self:
        context.call(doing, "PUT", "auth/token/revoke-self")
    elif is_accessor:
        context.call(doing, "POST", "auth/token/revoke-accessor", {"accessor": given[0]})
    elif mode == "path":
        context.call(doing, "PUT", f"sys/leases/revoke-prefix/{given[0]}")
    else:
        path = "auth/token/revoke-orphan" if mode else "auth/token/revoke"
        context.call(doing, "PUT", path, {"token": given[0]})
    context.streams.line("Success! Revoked token (if it existed)")
    return OK


def _capabilities(context: Context) -> int:
    *token, path = context.arguments
    doing = "Error listing capabilities"
    if token:
        reply = context.call(doing, "POST", "sys/capabilities", {"token": token[0], "path": path})
    else:
        reply = context.call(doing, "POST", "sys/capabilities-self", {"path": path})
    found = reply.data().get("capabilities")
    names = sorted(str(name) for name in found) if isinstance(found, list) else []
    if context.format != "table":
        return print_value(context, names)
    context.streams.line(", ".join(names))
    return OK


LOOKUP: Final = Command(
    "[options] [TOKEN | ACCESSOR]",
    """Tells what the server knows about a token; about the one in use without an argument.

    $ vault token lookup
    $ vault token lookup -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da""",
    _lookup,
    flags=(FORMAT, ACCESSOR),
    arguments_max=1,
)
RENEW: Final = Command(
    "[options] [TOKEN]",
    """Extends a token's life; that of the token in use without an argument.

    $ vault token renew -increment=30m""",
    _renew,
    flags=(FORMAT, ACCESSOR, Flag("increment", "The time to ask for, from now.", kind="duration", aliases=("i",))),
    arguments_max=1,
)
REVOKE: Final = Command(
    "[options] [TOKEN | ACCESSOR]",
    """Revokes a token, and all that was made with it unless -mode=orphan is given.

    $ vault token revoke -self
    $ vault token revoke -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da""",
    _revoke,
    flags=(
        ACCESSOR,
        Flag(
            "mode",
            '"orphan" leaves the token\'s children alone; "path" revokes every token made below a path.',
            choices=("orphan", "path"),
        ),
        Flag("self", "Revoke the token in use.", kind="bool"),
    ),
    arguments_max=MANY,
)
CAPABILITIES: Final = Command(
    "[options] [TOKEN] PATH",
    """Tells what a token may do on a path; the token in use without a TOKEN.

    $ vault token capabilities secret/data/app""",
    _capabilities,
    flags=(FORMAT,),
    arguments_min=1,
    arguments_max=2,
)
