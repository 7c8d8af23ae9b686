import pytest

from strongroom_cluster.store import open_store
from strongroom_node.policy.parse import PolicyInvalid
from strongroom_node.policy.store import COMPILED_MAX, PolicyStore
from strongroom_node.policy.template import IdentityContext
from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_storage.codec import pack

READ_A = 'path "a" { capabilities = ["read"] }'
OWN = 'path "own/{{identity.entity.name}}" { capabilities = ["read"] }'


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def barrier():
    store = open_store(None, on_failure=lambda error: None)
    await store.start()
    await store.barrier.initialize(b"k" * 32)
    store.barrier.unseal(b"k" * 32)
    yield store.barrier
    await store.close()


@pytest.fixture
def policies(barrier, clock):
    return PolicyStore(barrier, clock)


async def test_write_read_list_delete(policies):
    await policies.ensure_defaults()
    await policies.write("SpUpper", READ_A)
    assert policies.read("SPUPPER").text == READ_A
    assert policies.read("spupper").name == "spupper"
    assert policies.names() == ["default", "spupper", "root"]
    assert policies.exists("spupper")
    await policies.delete("SPupper")
    await policies.delete("spupper")
    assert policies.read("spupper") is None
    assert policies.names() == ["default", "root"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("p", "", "'policy' parameter not supplied or empty"),
        (
            "p",
            "just words",
            "failed to parse policy: At 1:12: key 'just words' expected start of object ('{') or assignment ('=')",
        ),
        ("root", READ_A, 'cannot update "root" policy'),
        ("Response-Wrapping", READ_A, 'cannot update "response-wrapping" policy'),
        ("", READ_A, "policy name missing"),
    ],
)
async def test_refused_writes(policies, name, text, reason):
    with pytest.raises(BadRequest) as caught:
        await policies.write(name, text)
    assert caught.value.messages == (reason,)


@pytest.mark.parametrize(
    ("name", "reason"), [("root", 'cannot delete "root" policy'), ("Default", "cannot delete default policy")]
)
async def test_refused_deletes(policies, name, reason):
    with pytest.raises(BadRequest) as caught:
        await policies.delete(name)
    assert caught.value.messages == (reason,)


async def test_built_in_policies(policies):
    assert policies.read("root").text == ""
    assert "cubbyhole/*" in policies.read("default").text
    assert policies.compiled(("root",)).is_root
    assert policies.compiled(("response-wrapping",)).capabilities("sys/wrapping/unwrap") == ["update"]
    await policies.write("default", READ_A)
    await policies.ensure_defaults()
    assert policies.compiled(("default",)).capabilities("cubbyhole/x") == ["deny"]


async def test_changes_take_effect_at_once(policies):
    assert policies.compiled(("p",)).capabilities("a") == ["deny"]
    await policies.write("p", READ_A)
    first = policies.compiled(("p",))
    assert first.capabilities("a") == ["read"]
    await policies.write("other", READ_A)
    assert policies.compiled(("p",)) is first
    await policies.write("p", 'path "a" { capabilities = ["list"] }')
    assert policies.compiled(("p",)).capabilities("a") == ["list"]
    await policies.delete("p")
    assert policies.compiled(("p",)).capabilities("a") == ["deny"]


async def test_templates_follow_the_identity(policies):
    await policies.write("own", OWN)
    ann, bob = IdentityContext("e1", "ann"), IdentityContext("e2", "bob")
    assert policies.compiled(("own",), ann).capabilities("own/ann") == ["read"]
    assert policies.compiled(("own",), bob).capabilities("own/ann") == ["deny"]
    assert policies.compiled(("own",), None).capabilities("own/ann") == ["deny"]
    kept = policies.compiled(("own",), ann)
    assert policies.compiled(("own",), IdentityContext("e1", "ann")) is kept
    renamed = IdentityContext("e1", "anna")
    assert policies.compiled(("own",), renamed).capabilities("own/ann") == ["deny"]
    assert policies.compiled(("own",), renamed).capabilities("own/anna") == ["read"]


async def test_without_templates_callers_share_one_acl(policies):
    await policies.write("p", READ_A)
    assert policies.compiled(("p",), IdentityContext("e1", "ann")) is policies.compiled(("p",))


async def test_rules_end_in_time(policies, clock):
    await policies.write("p", 'path "a" { capabilities = ["read"] expiration = 2000 }')
    assert policies.compiled(("p",)).capabilities("a") == ["read"]
    clock.now = 2000.0
    assert policies.compiled(("p",)).capabilities("a") == ["deny"]


async def test_names_that_storage_refuses_grant_nothing(policies):
    assert policies.compiled(("..", "a/", "x" * 600, "")).capabilities("a") == ["deny"]


async def test_the_caches_are_bounded(policies):
    await policies.write("own", OWN)
    for n in range(COMPILED_MAX + 10):
        policies.compiled(("own",), IdentityContext(f"e{n}", "x"))
    assert len(policies._compiled) == COMPILED_MAX


async def test_a_stored_policy_that_does_not_parse_stops_its_holders(policies, barrier):
    view = barrier.view("sys/policy/acl/")
    with view.transaction() as tx:
        tx.put("bad", pack({"name": "bad", "text": "just words"}))
    await tx.commit()
    with pytest.raises(PolicyInvalid):
        policies.compiled(("bad", "default"))


async def test_password_policies(policies):
    text = 'length = 20 rule "charset" { charset = "abcde" min-chars = 1 }'
    await policies.password_write("spp", text)
    assert policies.password_read("spp") == text
    assert policies.password_names() == ["spp"]
    made = policies.generate_password("spp")
    assert len(made) == 20
    await policies.password_delete("spp")
    await policies.password_delete("spp")
    assert policies.password_read("spp") is None
    with pytest.raises(NotFound) as caught:
        policies.generate_password("spp")
    assert caught.value.messages == ("1 error occurred:\n\t* policy does not exist\n\n",)
    for name, bad, reason in [
        ("p", "", "missing policy"),
        ("", text, "missing policy name"),
        ("p", "length = 3", "invalid password policy: 1 error occurred:\n\t* no charset specified\n\n"),
    ]:
        with pytest.raises(BadRequest) as refused:
            await policies.password_write(name, bad)
        assert refused.value.messages == (f"1 error occurred:\n\t* {reason}\n\n",)
