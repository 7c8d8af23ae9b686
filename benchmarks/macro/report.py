"""Makes docs/performance.md from the newest result of each kind, so that no number there was typed by hand."""

import json
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / "benchmarks" / "results"
PAGE = PROJECT / "docs" / "performance.md"

HEAD = """# Performance

Made by `make bench-report` from the newest results; [benchmarks/README.md](../benchmarks/README.md) has claims and method.
"""


def newest(kind: str) -> dict | None:
    files = sorted(RESULTS.glob(f"*-{kind}.json"))
    return json.loads(files[-1].read_text()) if files else None


def conditions(result: dict) -> str:
    machine, versions = result["machine"], result["versions"]
    peer = f", OpenBao {versions['openbao']}" if "openbao" in versions else ""
    return (
        f"Measured {result['date']} at commit {versions['commit']} on {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}, Python {machine['python']}{peer}."
    )


def compared(result: dict) -> list[str]:
    lines = ["## Beside OpenBao", "", conditions(result), ""]
    lines += [
        "| scenario | connections | CPU us a request | OpenBao | cheaper | requests a second | OpenBao | faster |"
    ]
    lines += ["|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in result["rows"]:
        ours, theirs = row["strongroom"], row["openbao"]
        lines.append(
            f"| {row['scenario']} | {row['connections']} | {ours['cpu_us_per_request']:.0f} | {theirs['cpu_us_per_request']:.0f} "
            f"| {row['cpu_ratio']:.1f}x | {ours['requests_per_second']:.0f} | {theirs['requests_per_second']:.0f} "
            f"| {row['throughput_ratio']:.1f}x |"
        )
    return [*lines, "", *missed(result)]


def scaled(result: dict) -> list[str]:
    method = result["method"]
    lines = ["## Scale", "", conditions(result), ""]
    lines += [f"{method['secrets']:,} secrets and {method['leases']:,} leases, beside a twin with 100 secrets.", ""]
    lines += ["| measured | large | twin |", "|---|---:|---:|"]
    lines += [
        f"| {name.replace('_', ' ')} | {value:,} | {result['small'][name]:,} |"
        for name, value in result["large"].items()
    ]
    return [*lines, "", _reads(result), "", *missed(result)]


def _reads(result: dict) -> str:
    return (
        f"Reads of 100 secrets of the million take {result['read_ratio']} times as long as those of the twin; reads of 20,000 "
        f"distinct ones, more than the caches and the mapped part of the store hold, {result['spread_read_ratio']} times."
    )


def missed(result: dict) -> list[str]:
    if not result["missed"]:
        return ["Every claim was met.", ""]
    return ["Not met:", "", *(f"- {line}" for line in result["missed"]), ""]


def main() -> None:
    lines = [HEAD]
    for kind, section in (("compare", compared), ("scale", scaled)):
        result = newest(kind)
        lines += section(result) if result else [f"No result of the kind `{kind}` yet.", ""]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
