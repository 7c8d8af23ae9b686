import asyncio
import io
import logging

import pytest
import structlog

from strongroom_node.telemetry.log import LEVELS, NAMES, Log, LogSettings, logger_name


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def log(stream):
    handlers = list(logging.getLogger().handlers)
    level = logging.getLogger().level
    made = Log(LogSettings(), stream, lambda: 1_700_000_000.0)
    made.install()
    yield made
    made.uninstall()
    made.close()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def test_messages_come_out_under_their_logger(log, stream):
    structlog.get_logger("core").info("mounted", path="kv/")
    assert stream.getvalue() == "2023-11-14T22:13:20.000Z [INFO]  core: mounted: path=kv/\n"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("core", "core"),
        ("strongroom_node.core.ceremonies.keeper", "core"),
        ("strongroom.journal", "storage.journal"),
        ("strongroom_cluster.store", "storage.store"),
        ("", ""),
    ],
)
def test_names_are_short(given, shown):
    assert logger_name(given) == shown


def test_all_levels_exist_and_those_below_are_dropped(log, stream):
    logger = structlog.get_logger("core")
    for level in ("trace", "debug", "info", "warning", "warn", "error", "critical"):
        getattr(logger, level)("said", by=level)
    assert [line.split("by=")[1] for line in stream.getvalue().splitlines()] == [
        "info", "warning", "warn", "error", "critical",
    ]  # fmt: skip


def test_one_logger_can_be_made_louder_and_go_back(log, stream):
    log.set_level("trace", "http")
    structlog.get_logger("http").trace("heard")
    structlog.get_logger("core").trace("unheard")
    assert "heard" in stream.getvalue()
    assert "unheard" not in stream.getvalue()
    assert log.levels()["http"] == "trace"
    log.set_level("", "http")
    assert log.levels()["http"] == "info"
    structlog.get_logger("http").trace("later")
    assert "later" not in stream.getvalue()


def test_all_loggers_change_together_and_a_new_configured_level_wins(log, stream):
    log.set_level("error")
    assert set(log.levels().values()) == {"error"}
    structlog.get_logger("core").warning("dropped")
    log.configure_level("debug")
    assert set(log.levels().values()) == {"debug"}
    structlog.get_logger("a new one").debug("kept")
    assert [line.split("]", 1)[1] for line in stream.getvalue().splitlines()] == [' "a new one": kept']


def test_unknown_names_do_not_pile_up(log):
    for number in range(10_000):
        log.set_level("debug", f"made-up-{number}")
    assert set(log.levels()) == set(NAMES)


def test_an_exception_is_logged_without_text_or_variables(log, stream):
    root_key = "hunter2"
    try:
        raise ValueError(root_key)
    except ValueError:
        structlog.get_logger("core").exception("failed")
        structlog.get_logger("core").error("failed", exc_info=True)
        logging.getLogger("aiohttp.server").exception("library failed")
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("ValueError at test_log.py:") == 3


async def test_what_no_task_caught_is_logged_without_its_text(log, stream):
    loop = asyncio.get_running_loop()
    log.watch(loop)
    loop.call_exception_handler({"message": "hunter2", "exception": ValueError("hunter2")})
    loop.set_exception_handler(None)
    assert "unhandled failure in the event loop" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_libraries_are_heard(log, stream):
    logging.getLogger("asyncio").warning("slow callback %d", 3)
    logging.getLogger("asyncio").info("not that")
    assert stream.getvalue() == "2023-11-14T22:13:20.000Z [WARN]  asyncio: slow callback 3\n"


def test_the_file_gets_the_same_lines(tmp_path, stream):
    log = Log(LogSettings(format="json", file=f"{tmp_path}/"), stream)
    log.write("info", "core", "hello", {})
    log.close()
    assert (tmp_path / "vault.log").read_text() == stream.getvalue()
    assert stream.getvalue().startswith('{"@level":"info"')


def test_a_reader_that_went_away_stops_nothing():
    class Gone(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    Log(LogSettings(), Gone()).write("error", "core", "nobody hears", {})


def test_a_tap_hears_until_it_is_closed(log):
    heard = []
    close = log.tap(heard.append)
    structlog.get_logger("core").info("one")
    close()
    close()
    structlog.get_logger("core").info("two")
    assert [entry.event for entry in heard] == ["one"]


def test_dropped_messages_are_cheap(log):
    assert set(LEVELS) == {"trace", "debug", "info", "warn", "error"}
    logger = structlog.get_logger("core").bind()
    writes = []
    log.write = lambda *args: writes.append(args)
    logger.debug("never rendered", value=object())
    assert writes == []
