from support.node import START, running_node

from strongroom_node.telemetry.metrics import Metrics, MetricsSettings
from strongroom_node.telemetry.usage import LeaseEnds, Usage, cheap_readings


def by_name(readings):
    return {(reading.name, reading.labels): reading.value for reading in readings}


async def test_everything_is_counted():
    async with running_node() as node:
        for _ in range(3):
            await node.token("default", ttl="1h")
        await node.ask("update", "identity/entity", name="bob")
        metrics = Metrics(MetricsSettings())
        await Usage(node.core, metrics).count()
        found = {reading.name: reading.value for reading in metrics.usage}
        assert found["token.count"] == 4
        assert found["expire.num_leases"] >= 3
        assert found["expire.num_irrevocable_leases"] == 0
        assert found["identity.num_entities"] == 1
        assert sum(reading.value for reading in metrics.usage if reading.name.endswith("by_expiration")) == 3


async def test_cheap_readings_tell_the_state_without_a_scan():
    async with running_node() as node:
        found = by_name(cheap_readings(node.core))
        assert found["core.unsealed", ()] == 1
        assert found["core.mount_table.num_entries", (("local", "true"), ("type", "logical"))] == 1
        assert found["core.mount_table.num_entries", (("local", "false"), ("type", "auth"))] == 1
        assert found["raft_storage.stats.applied_index", ()] > 0
        assert found["barrier.estimated_encryptions", (("term", "1"),)] > 0
        await node.core.seal()
        sealed = by_name(cheap_readings(node.core))
        assert sealed["core.unsealed", ()] == 0
        assert all("mount_table" not in name for name, _ in sealed)


async def test_a_seal_while_counting_keeps_what_was_known():
    async with running_node() as node:
        metrics = Metrics()
        usage = Usage(node.core, metrics)
        await usage.count()
        known = metrics.usage
        await node.core.seal()
        await usage.count()
        assert metrics.usage is known


def test_leases_fall_into_the_hour_in_which_they_end():
    ends = LeaseEnds(lambda: START, 3600.0, 2)
    due = [START - 100_000, START + 1, START + 3600, START + 7200, START + 1e7]
    ends.add(f"{int(at * 1000):016x}/lease" for at in due)
    assert [(reading.labels[0][1], reading.value) for reading in ends.readings()] == [
        ("2023-11-14 23:00:00 +0000 UTC", 2),
        ("2023-11-15 00:00:00 +0000 UTC", 1),
    ]
