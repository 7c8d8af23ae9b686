"""Run many schedules: `python -m sim --seeds 20000 --start 0 --jobs 2` with `tests` on the path."""

import argparse
import signal
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

from sim.world import World

# A schedule takes some hundredths of a second.
SECONDS_MAX = 20


def play(seed: int) -> tuple[int, str, dict[str, int]]:
    """One schedule: its seed, what was violated ('' if nothing), and what happened."""
    world = World(seed)
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(SECONDS_MAX)
    try:
        world.run()
    except Exception as error:
        if "--trace" in sys.argv:
            print("\n".join(world.trace))
            traceback.print_exc()
        return seed, f"{type(error).__name__}: {error}", world.counts
    finally:
        signal.alarm(0)
    return seed, "", world.counts


def _give_up(_signal: int, _frame: object) -> None:
    raise TimeoutError("the schedule does not end")


def main() -> int:
    parser = argparse.ArgumentParser(prog="sim", description="Simulate clusters from seeds and check their promises.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many schedules")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--trace", action="store_true", help="print what happened in each schedule")
    arguments = parser.parse_args()
    seeds = range(arguments.start, arguments.start + arguments.seeds)
    began = time.monotonic()
    totals: dict[str, int] = {}
    failed = []
    if arguments.trace:
        results = map(play, seeds)
    else:
        pool = ProcessPoolExecutor(arguments.jobs)
        results = pool.map(play, seeds, chunksize=max(1, min(50, arguments.seeds // arguments.jobs // 4)))
    for seed, violation, counts in results:
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
        if violation:
            failed.append(seed)
            print(f"seed {seed}: {violation}\n  replay: python -m sim --seeds 1 --start {seed} --trace", flush=True)
    seconds = time.monotonic() - began
    print(f"{len(seeds)} schedules in {seconds:.1f} s, {len(failed)} with a violation; {totals}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
