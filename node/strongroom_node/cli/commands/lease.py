"""`lease lookup`, `renew` and `revoke`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret
from strongroom_node.client.durations import SECOND


def _lease_id(context: Context) -> str:
    if not context.arguments:
        raise UsageFailed("Missing ID!")
    return context.arguments[0].strip()


def _lookup(context: Context) -> int:
    lease = _lease_id(context)
    reply = context.call(f"error looking up lease id {lease}", "PUT", "sys/leases/lookup", {"lease_id": lease})
    return print_secret(context, reply.secret())


def _renew(context: Context) -> int:
    # Two arguments are the way it was before version 0.9.2: the increment in seconds came second.
    lease, increment = _lease_id(context), context.flags.number("increment") // SECOND
    if len(context.arguments) == 2:
        if not context.arguments[1].isdigit():
            raise UsageFailed(f"Invalid increment: {context.arguments[1]}")
        increment = int(context.arguments[1])
    body = {"increment": increment, "lease_id": lease}
    return print_secret(context, context.call(f"Error renewing {lease}", "PUT", "sys/leases/renew", body).secret())


def _revoke(context: Context) -> int:
    flags = context.flags
    lease = context.arguments[0].strip()
    is_prefix, is_forced, is_sync = flags.on("prefix"), flags.on("force"), flags.on("sync")
    if is_forced and not is_prefix:
        raise UsageFailed("Specifying -force requires also specifying -prefix")
    if is_forced:
        context.streams.note(
            "Warning! Force-removing leases can cause Vault to become out of sync with\nsecret engines!",
        )
        context.call(f"Error force revoking leases with prefix {lease}", "PUT", f"sys/leases/revoke-force/{lease}")
        context.streams.line(f"Success! Force revoked any leases with prefix: {lease}")
        return OK
    kind, doing = ("revoke-prefix", "leases with prefix ") if is_prefix else ("revoke", "lease ")
    context.call(f"Error revoking {doing}{lease}", "PUT", f"sys/leases/{kind}/{lease}", {"sync": is_sync})
    if not is_sync:
        context.streams.line("All revocation operations queued successfully!")
    elif is_prefix:
        context.streams.line(f"Success! Revoked any leases with prefix: {lease}")
    else:
        context.streams.line(f"Success! Revoked lease: {lease}")
    return OK


LOOKUP: Final = Command(
    "[options] ID",
    """Tells when a lease was made and when it ends.

    $ vault lease lookup database/creds/readonly/2f6a614c...""",
    _lookup,
    flags=(FORMAT,),
    arguments_max=1,
)
RENEW: Final = Command(
    "[options] ID",
    """Extends a lease, so that its secret can be used for longer.

    $ vault lease renew -increment=1h database/creds/readonly/2f6a614c...""",
    _renew,
    flags=(FORMAT, Flag("increment", "The time to ask for, from now.", kind="duration", aliases=("i",))),
    arguments_max=2,
)
REVOKE: Final = Command(
    "[options] ID",
    """Revokes a lease and its secret, or with -prefix every one below a path.

    $ vault lease revoke database/creds/readonly/2f6a614c...
    $ vault lease revoke -prefix database/creds""",
    _revoke,
    flags=(
        Flag(
            "force",
            "Forget the leases even if the secrets cannot be revoked; needs -prefix.",
            kind="bool",
            aliases=("f",),
        ),
        Flag("prefix", "The argument is the beginning of the leases' paths.", kind="bool"),
        Flag("sync", "Wait until it is done.", kind="bool"),
    ),
    arguments_min=1,
    arguments_max=1,
)
