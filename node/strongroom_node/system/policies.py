"""`sys/policies/*` and the older `sys/policy`."""

from typing import TYPE_CHECKING, Any

from strongroom_node.sdk.errors import NotFound
from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine


async def names(engine: "SystemEngine", _request: Request) -> Response | None:
    """Names of all policies; `root` stands last."""
    return listing(engine.core.policies.names())


async def names_below(engine: "SystemEngine", request: Request) -> Response | None:
    """Names of the policies in a folder; policy names may hold slashes."""
    folder = request.get("name").strip("/") + "/"
    found = engine.core.policies.names()
    return listing([name[len(folder) :] for name in found if name.startswith(folder)])


async def old_names(engine: "SystemEngine", _request: Request) -> Response:
    """Names of all policies, under both keys that old clients read."""
    found = engine.core.policies.names()
    return Response(data={"keys": found, "policies": found}, flat=True)


async def read(engine: "SystemEngine", request: Request) -> Response | None:
    """One policy."""
    found = engine.core.policies.read(request.get("name"))
    return None if found is None else Response(data={"name": found.name, "policy": found.text})


async def old_read(engine: "SystemEngine", request: Request) -> Response | None:
    """One policy, its text under `rules`."""
    found = engine.core.policies.read(request.get("name"))
    return None if found is None else Response(data={"name": found.name, "rules": found.text}, flat=True)


async def write(engine: "SystemEngine", request: Request) -> Response | None:
    """Create or replace a policy."""
    response = Response()
    text = request.get("policy", "")
    if not text and request.has("rules"):
        text = request.get("rules")
        response.warn("'rules' is deprecated, please use 'policy' instead")
    name: str = request.get("name")
    await engine.core.policies.write(name, text)
    if name != name.lower():
        response.warn(f"policy name was converted to {name.lower()}")
    return response if response.warnings else None


async def delete(engine: "SystemEngine", request: Request) -> None:
    """Drop a policy. Tokens keep its name, which then grants nothing."""
    await engine.core.policies.delete(request.get("name"))


async def password_names(engine: "SystemEngine", _request: Request) -> Response | None:
    """Names of all password policies."""
    return listing(engine.core.policies.password_names())


async def password_read(engine: "SystemEngine", request: Request) -> Response:
    """One password policy."""
    text: Any = engine.core.policies.password_read(request.get("name"))
    if text is None:
        raise NotFound("1 error occurred:\n\t* policy does not exist\n\n")
    return Response(data={"policy": text})


async def password_write(engine: "SystemEngine", request: Request) -> None:
    """Create or replace a password policy, after trying it."""
    await engine.core.policies.password_write(request.get("name"), request.get("policy", ""))


async def password_delete(engine: "SystemEngine", request: Request) -> None:
    """Drop a password policy."""
    await engine.core.policies.password_delete(request.get("name"))


async def password_generate(engine: "SystemEngine", request: Request) -> Response:
    """A password by a policy."""
    return Response(data={"password": engine.core.policies.generate_password(request.get("name"))})


_NAME = {"name": Text("Name of the policy.")}
_TEXT = {"policy": Text("The policy, in HCL or JSON, or base64 of it.")}

PATHS = (
    Path("policies/acl", list=names, help="List the policies."),
    Path(
        "policies/acl/{name+}",
        fields={**_NAME, **_TEXT},
        read=read,
        update=write,
        delete=delete,
        list=names_below,
        help="Read, write or delete a policy.",
    ),
    Path("policy", read=old_names, list=old_names, help="List the policies; the older path."),
    Path(
        "policy/{name+}",
        fields={**_NAME, **_TEXT, "rules": Text("The older name of policy.", deprecated=True)},
        read=old_read,
        update=write,
        delete=delete,
        list=names_below,
        help="Read, write or delete a policy; the older path.",
    ),
    Path("policies/password", list=password_names, help="List the password policies."),
    Path(
        "policies/password/{name}",
        fields={**_NAME, "policy": Text("The password policy, in HCL.")},
        read=password_read,
        update=password_write,
        delete=password_delete,
        help="Read, write or delete a password policy.",
    ),
    Path(
        "policies/password/{name}/generate",
        fields=_NAME,
        read=password_generate,
        help="Generate a password.",
    ),
)
