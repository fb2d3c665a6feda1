"""Logs: one event, one line; facts are keys. Never what people wrote, nor who they are."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

from bot.config import Logs

NEVER: Final = frozenset({"text", "name", "phone", "nik", "kpj", "address", "body", "caption", "payload"})
"""Keys that no line may carry; a line that tries loses them."""


def set_up_logs(config: Logs, stream: TextIO = sys.stderr) -> None:
    """Colours on a terminal, JSON elsewhere, unless the settings say which. Safe to call again."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    console = config.format == "console" or (config.format == "auto" and stream.isatty())
    last: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_private,
            _tell_exceptions_without_words,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Wordless()], level=max(level, logging.WARNING), force=True)


class _Wordless(logging.Handler):
    """What libraries log becomes a line of ours without their words: those may hold values and people's messages."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        error = record.exc_info[1] if record.exc_info else None
        where = {"error": type(error).__name__, "at": whereabouts(error)} if error else {"at": [record.name]}
        try:
            write("library.said", logger=record.name, line=f"{record.module}.py:{record.lineno}", **where)
        except (OSError, ValueError):
            return  # nowhere to write: the library's work must not fail for it, and its words must not come out instead


def _drop_private(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    for key in NEVER & event.keys():
        del event[key]
    return event


def _tell_exceptions_without_words(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = error.__class__.__name__
        event["at"] = whereabouts(error)
    return event


def whereabouts(error: BaseException, *, max_frames: int = 12) -> list[str]:
    """Where an exception came from, innermost last, such as `turn.py:120 decide`.

    Its message is left out on purpose: libraries put the values they choked on there, and those are people's words.
    """
    frames = traceback.extract_tb(error.__traceback__)[-max_frames:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
