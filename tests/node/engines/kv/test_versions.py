"""Deleting, undeleting, destroying, trimming: examples, and a model."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mounted import Clock, Mounted, a_mount, open_memory

from strongroom_node.engines.kv import ENGINE
from strongroom_node.sdk.errors import BadRequest, NotFound


async def put(v2, path, data):
    await v2.request("update", f"data/{path}", {"data": data})


async def test_delete_and_undelete(v2):
    await put(v2, "a", {"v": 1})
    await put(v2, "a", {"v": 2})
    await v2.request("delete", "data/a")
    response = await v2.request("read", "data/a")
    assert response.missing
    assert response.data["data"] is None
    assert response.data["metadata"]["deletion_time"]
    assert (await v2.body("read", "data/a", {"version": 1}))["data"] == {"v": 1}
    await v2.request("update", "undelete/a", {"versions": [2]})
    assert (await v2.body("read", "data/a"))["data"] == {"v": 2}


async def test_a_second_delete_changes_nothing(v2, clock):
    await put(v2, "a", {"v": 1})
    await v2.request("delete", "data/a")
    before = await v2.body("read", "metadata/a")
    clock.advance(60)
    await v2.request("delete", "data/a")
    await v2.request("update", "delete/a", {"versions": "1"})
    assert await v2.body("read", "metadata/a") == before


async def test_what_is_not_there_is_passed_over(v2):
    await put(v2, "a", {"v": 1})
    for group in ("delete", "undelete", "destroy"):
        assert await v2.request("update", f"{group}/never", {"versions": [1]}) is None
        assert await v2.request("update", f"{group}/a", {"versions": [0, -1, 99, 1 << 62]}) is None
    assert (await v2.body("read", "data/a"))["data"] == {"v": 1}
    with pytest.raises(NotFound):
        await v2.request("read", "data/never")


@pytest.mark.parametrize("group", ["delete", "undelete", "destroy"])
async def test_version_numbers_are_needed(v2, group):
    for data in ({}, {"versions": []}, {"versions": ""}):
        with pytest.raises(BadRequest, match=r"[Nn]o version number provided"):
            await v2.request("update", f"{group}/a", data)
    with pytest.raises(BadRequest, match='field "versions"'):
        await v2.request("update", f"{group}/a", {"versions": ["x"]})


async def test_destroyed_data_are_gone_from_the_store(v2):
    await put(v2, "a", {"v": 1})
    await put(v2, "a", {"v": 2})
    assert len(v2.view.walk("versions/")) == 2
    await v2.request("update", "destroy/a", {"versions": [1]})
    assert len(v2.view.walk("versions/")) == 1
    response = await v2.request("read", "data/a", {"version": 1})
    assert response.missing
    assert response.data["metadata"]["destroyed"]
    await v2.request("update", "undelete/a", {"versions": [1]})
    assert (await v2.request("read", "data/a", {"version": 1})).missing


async def test_a_destroyed_newest_version_is_not_deleted_as_well(v2):
    await put(v2, "a", {"v": 1})
    await v2.request("update", "destroy/a", {"versions": [1]})
    await v2.request("delete", "data/a")
    assert (await v2.body("read", "metadata/a"))["versions"]["1"]["deletion_time"] == ""


async def test_oldest_version_moves_once_the_limit_is_met(v2):
    await v2.request("update", "config", {"max_versions": 2})
    seen = []
    for number in (1, 2, 3, 4):
        await put(v2, "a", {"v": number})
        metadata = await v2.body("read", "metadata/a")
        seen.append((metadata["oldest_version"], sorted(metadata["versions"])))
    assert seen == [(0, ["1"]), (1, ["1", "2"]), (2, ["2", "3"]), (3, ["3", "4"])]
    with pytest.raises(NotFound):
        await v2.request("read", "data/a", {"version": 1})
    assert len(v2.view.walk("versions/")) == 2


async def test_the_larger_limit_holds(v2):
    await v2.request("update", "config", {"max_versions": 2})
    await v2.request("update", "metadata/more", {"max_versions": 3})
    await v2.request("update", "metadata/less", {"max_versions": 1})
    for number in range(4):
        await put(v2, "more", {"v": number})
        await put(v2, "less", {"v": number})
    assert sorted((await v2.body("read", "metadata/more"))["versions"]) == ["2", "3", "4"]
    assert sorted((await v2.body("read", "metadata/less"))["versions"]) == ["3", "4"]


async def test_a_lowered_limit_trims_all_at_once(v2):
    for number in range(9):
        await put(v2, "a", {"v": number})
    await v2.request("update", "metadata/a", {"max_versions": 2})
    await put(v2, "a", {"v": 9})
    assert sorted((await v2.body("read", "metadata/a"))["versions"]) == ["10", "9"]
    assert len(v2.view.walk("versions/")) == 2


async def test_delete_version_after(v2, clock):
    await v2.request("update", "metadata/a", {"delete_version_after": "2s"})
    await put(v2, "a", {"v": 1})
    assert not (await v2.request("read", "data/a")).missing
    clock.advance(1.999)
    assert not (await v2.request("read", "data/a")).missing
    clock.advance(0.001)
    assert (await v2.request("read", "data/a")).missing
    await v2.request("update", "undelete/a", {"versions": [1]})
    response = await v2.request("read", "data/a")
    assert not response.missing
    assert response.data["metadata"]["deletion_time"] == "2023-11-14T22:13:24Z"


@pytest.mark.parametrize(
    ("mount", "secret", "deleted"),
    [
        ("1h", "30m", "22:43:20"),
        ("30m", "1h", "22:43:20"),
        ("0", "30m", "22:43:20"),
        ("30m", "0", "22:43:20"),
        ("-1s", "30m", ""),
        ("0", "0", ""),
    ],
)
async def test_the_shorter_period_holds(v2, mount, secret, deleted):
    await v2.request("update", "config", {"delete_version_after": mount})
    await v2.request("update", "metadata/a", {"delete_version_after": secret})
    await put(v2, "a", {"v": 1})
    assert deleted in (await v2.body("read", "data/a"))["metadata"]["deletion_time"]
    assert bool(deleted) == bool((await v2.body("read", "data/a"))["metadata"]["deletion_time"])


@dataclass
class ModelVersion:
    data: int
    deleted: float | None = None
    destroyed: bool = False


@dataclass
class Model:
    """A secret as its documentation describes it, kept in a dictionary."""

    versions: dict[int, ModelVersion] = field(default_factory=dict)
    current: int = 0
    limit: int = 0
    period: float = 0.0

    def write(self, data, now):
        self.current += 1
        self.versions[self.current] = ModelVersion(data, now + self.period if self.period else None)
        for number in [n for n in self.versions if n <= self.current - (self.limit or 10)]:
            del self.versions[number]

    def readable(self, number, now):
        version = self.versions.get(number)
        if version is None:
            return "absent"
        if version.destroyed or (version.deleted is not None and version.deleted <= now):
            return "gone"
        return version.data


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 14)),
        st.tuples(st.just("cas"), st.integers(0, 14)),
        st.tuples(
            st.sampled_from(["delete", "undelete", "destroy"]), st.lists(st.integers(-1, 14), min_size=1, max_size=4)
        ),
        st.tuples(st.just("remove"), st.none()),
        st.tuples(st.just("drop"), st.none()),
        st.tuples(st.just("limit"), st.integers(1, 4)),
        st.tuples(st.just("period"), st.sampled_from([0, 5, 20])),
        st.tuples(st.just("wait"), st.integers(1, 9)),
    ),
    max_size=25,
)


async def _play(steps):  # one branch per step of the model
    clock = Clock()
    store = await open_memory(clock)
    v2 = Mounted(store, ENGINE, a_mount("kv", options={"version": "2"}), clock)
    model, made = Model(), False
    for what, value in steps:
        now = clock()
        if what == "write":
            await put(v2, "a", {"v": value})
            model.write(value, now)
            made = True
        elif what == "cas":
            try:
                await v2.request("update", "data/a", {"data": {"v": 0}, "options": {"cas": value}})
                assert value == model.current
                model.write(0, now)
                made = True
            except BadRequest:
                assert value != model.current
        elif what in {"delete", "undelete", "destroy"}:
            await v2.request("update", f"{what}/a", {"versions": value})
            for number in value:
                version = model.versions.get(number)
                if version is None or version.destroyed:
                    continue
                if what == "destroy":
                    version.destroyed = True
                elif what == "undelete":
                    version.deleted = now + model.period if model.period else None
                elif version.deleted is None or version.deleted > now:
                    version.deleted = now
        elif what == "remove":
            await v2.request("delete", "data/a")
            newest = model.versions.get(model.current)
            if newest is not None and model.readable(model.current, now) != "gone":
                newest.deleted = now
        elif what == "drop":
            await v2.request("delete", "metadata/a")
            model, made = Model(), False
        elif what == "limit":
            await v2.request("update", "metadata/a", {"max_versions": value})
            model.limit, made = value, True
        elif what == "period":
            await v2.request("update", "metadata/a", {"delete_version_after": value})
            model.period, made = float(value), True
        else:
            clock.advance(value)
        await _compare(v2, model, made, clock())
    await store.close()


async def _compare(v2, model, made, now):
    metadata = await v2.body("read", "metadata/a")
    assert (metadata is not None) == made
    assert {int(number) for number in (metadata or {}).get("versions", {})} == set(model.versions)
    assert (metadata or {"current_version": 0})["current_version"] == model.current
    for number in range(1, model.current + 2):
        try:
            response = await v2.request("read", "data/a", {"version": number})
        except NotFound:
            assert model.readable(number, now) == "absent"
            continue
        expected = model.readable(number, now)
        assert response.missing == (expected == "gone")
        if not response.missing:
            assert bytes(response.data["data"]) == b'{"v":%d}' % expected
    kept = sum(not version.destroyed for version in model.versions.values())
    assert len(v2.view.walk("versions/")) == kept


@settings(max_examples=60)
@given(STEPS)
async def test_versions_behave_as_the_model(steps):
    await _play(steps)
