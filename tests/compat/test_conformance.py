"""Recorded answers of another server, replayed against ours; what may differ is listed, with its reason, in KNOWN.md.

The recordings live outside this repository: in the folder that `STRONGROOM_SHARED` names, or `../shared`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.server import DEV_COMMAND, clean_environment

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("STRONGROOM_SHARED") or PROJECT.parent / "shared")
RUNNER = SHARED if SHARED.is_absolute() else PROJECT / SHARED
RUNNER = RUNNER / "conformance" / "run.py"
KNOWN = Path(__file__).with_name("KNOWN.md")

# Each area runs against a server of its own. The longest come first, so that two workers end at about the same time.
AREAS = (
    "kv2",
    "tokens",
    "leases",
    "wrapping",
    "userpass",
    "acl",
    "kv1",
    "envelope",
    "sys-mounts",
    "sys-auth",
    "sys-policies",
    "sys-misc",
    "cubbyhole",
    "tools",
)
ROW = re.compile(r"^\| *`?(?P<scenario>[\w-]+/[^|`]+?)`? *\| *(?P<reason>[^|]+?) *\|$", re.MULTILINE)


def known() -> dict[str, str]:
    """Scenario -> reason, from the table in KNOWN.md."""
    return {row["scenario"]: row["reason"] for row in ROW.finditer(KNOWN.read_text())}


def replay(area: str, report: Path) -> tuple[dict[str, list[str]], str]:
    """The differences of each scenario of an area, and what the runner printed."""
    answer = subprocess.run(
        [sys.executable, RUNNER, "check", "--server", DEV_COMMAND, "--only", area, "--json", report],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        env=clean_environment(report.parent),
    )
    printed = answer.stdout + answer.stderr
    assert report.exists(), f"the runner could not run {area}:\n{printed[-3000:]}"
    return json.loads(report.read_text()), printed


@pytest.mark.skipif(not RUNNER.exists(), reason=f"NO RECORDED ANSWERS at {RUNNER}: conformance was not checked")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("area", AREAS)
def test_recorded_answers(area: str, tmp_path: Path) -> None:
    found, printed = replay(area, tmp_path / "report.json")
    assert found, f"no scenario of {area} was run:\n{printed}"
    listed = {scenario for scenario in known() if scenario.startswith(f"{area}/")}
    failed = {scenario for scenario, differences in found.items() if differences}
    lines = [f"{scenario}: {difference}" for scenario in sorted(failed - listed) for difference in found[scenario][:4]]
    assert not lines, "not as recorded:\n" + "\n".join(lines)
    assert not listed - failed, f"listed in KNOWN.md, but not failing (remove the line): {sorted(listed - failed)}"


def test_every_known_difference_names_an_area_we_run() -> None:
    strangers = [scenario for scenario in known() if scenario.partition("/")[0] not in AREAS]
    assert not strangers
