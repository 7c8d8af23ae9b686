"""Key terms and when they change by themselves."""

import re

import pytest

from strongroom_node.sdk.errors import BadRequest, Sealed


async def test_rotation_adds_a_term_and_old_data_opens(opened):
    await opened.write(b"kept")
    before = opened.keeper.key_status()
    assert set(before) == {"term", "install_time", "encryptions"}
    assert before["term"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", before["install_time"])
    assert await opened.keeper.rotate() == 2
    assert opened.keeper.key_status()["term"] == 2
    assert opened.read() == b"kept"


async def test_the_configuration_changes_only_where_it_is_told_to(opened):
    keeper = opened.keeper
    assert keeper.rotation_config() == {"enabled": True, "interval": 0, "max_operations": 3_865_470_566}
    await keeper.configure_rotation(interval="25h")
    await keeper.configure_rotation(max_operations=1_000_000)
    await keeper.configure_rotation(enabled=False)
    assert keeper.rotation_config() == {"enabled": False, "interval": "25h0m0s", "max_operations": 1_000_000}
    await keeper.configure_rotation(interval=0)
    assert keeper.rotation_config()["interval"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_operations": 999_999}, "max_operations must be in the range [1000000,3865470566]"),
        ({"max_operations": 0}, "max_operations must be in the range [1000000,3865470566]"),
        ({"max_operations": 2**40}, "max_operations must be in the range [1000000,3865470566]"),
        ({"interval": "23h"}, "interval must be greater or equal to 24h0m0s"),
        ({"interval": -90_000}, "interval must be greater or equal to 24h0m0s"),
        ({"interval": "soon"}, "time: invalid duration"),
    ],
)
async def test_bad_configurations_are_refused(opened, change, message):
    before = opened.keeper.rotation_config()
    with pytest.raises(BadRequest) as refused:
        await opened.keeper.configure_rotation(**change)
    assert refused.value.messages[0].startswith(message)
    assert opened.keeper.rotation_config() == before


async def test_a_sealed_barrier_tells_nothing(house):
    with pytest.raises(Sealed):
        house.keeper.key_status()
    with pytest.raises(Sealed):
        house.keeper.rotation_config()
    with pytest.raises(Sealed):
        await house.keeper.rotate()
    with pytest.raises(Sealed):
        await house.keeper.configure_rotation(enabled=False)
