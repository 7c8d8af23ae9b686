"""`token create`."""

from typing import Any, Final

from strongroom_node.cli.command import OUTPUT, Command, Flag
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_secret
from strongroom_node.client.durations import format_duration


def _run(context: Context) -> int:
    flags = context.flags
    body: dict[str, Any] = {}
    if flags.text("id"):
        body["id"] = flags.text("id")
    if flags.many("policy"):
        body["policies"] = flags.many("policy")
    if flags.pairs("metadata"):
        body["meta"] = flags.pairs("metadata")
    for name, key in (("ttl", "ttl"), ("explicit-max-ttl", "explicit_max_ttl"), ("period", "period")):
        body[key] = format_duration(flags.number(name))
    if flags.on("orphan"):
        body["no_parent"] = True
    if flags.on("no-default-policy"):
        body["no_default_policy"] = True
    body |= {
        "display_name": flags.text("display-name"),
        "num_uses": flags.number("use-limit"),
        "renewable": flags.on("renewable"),
        "type": flags.text("type"),
        "entity_alias": flags.text("entity-alias"),
    }
    role = flags.text("role")
    path = f"auth/token/create/{role}" if role else "auth/token/create"
    return print_secret(context, context.call("Error creating token", "POST", path, body).secret())


CREATE: Final = Command(
    "[options]",
    """Creates a token, a child of the one in use with its policies unless told otherwise.

    $ vault token create -policy=app -ttl=1h
    $ vault token create -role=ci""",
    _run,
    flags=(
        *OUTPUT,
        Flag("display-name", "A name that shows in logs and lookups."),
        Flag("entity-alias", "The entity alias to tie the token to; needs -role."),
        Flag("explicit-max-ttl", "The longest life, however often it is renewed.", kind="duration"),
        Flag("id", "The token itself; needs the right to choose it."),
        Flag("metadata", "A key=value note about the token. May be repeated.", kind="key=value"),
        Flag("no-default-policy", 'Leave the "default" policy out.', kind="bool"),
        Flag("orphan", "Without a parent, so that nobody's end is its own.", kind="bool"),
        Flag("period", "A period: each renewal gives this long, without end.", kind="duration"),
        Flag("policy", "A policy of the token. May be repeated.", kind="strings"),
        Flag("renewable", "Whether it can be renewed.", kind="bool", default="true"),
        Flag("role", "The token role to create it against."),
        Flag("ttl", "How long it lives.", kind="duration", aliases=("lease",)),
        Flag("type", '"service" or "batch".', default="service", choices=("service", "batch")),
        Flag("use-limit", "How often it can be used; no limit unless given.", kind="int"),
    ),
)
