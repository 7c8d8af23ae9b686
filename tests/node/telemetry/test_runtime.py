import gc

from strongroom_node.telemetry.runtime import Runtime


def test_the_process_tells_its_size_and_what_collecting_took():
    runtime = Runtime()
    runtime.start()
    try:
        before = {reading.name: reading.value for reading in runtime.readings()}
        gc.collect()
        after = {reading.name: reading.value for reading in runtime.readings()}
    finally:
        runtime.stop()
        runtime.stop()
    assert after["runtime.total_gc_runs"] > before["runtime.total_gc_runs"]
    assert after["runtime.total_gc_pause_ns"] > before["runtime.total_gc_pause_ns"]
    assert 1 << 20 < after["runtime.alloc_bytes"] < after["runtime.sys_bytes"]
    assert after["runtime.num_goroutines"] >= 1
    assert runtime._on_collection not in gc.callbacks


async def test_tasks_are_counted_inside_a_loop():
    assert {reading.name: reading.value for reading in Runtime().readings()}["runtime.num_goroutines"] >= 2
