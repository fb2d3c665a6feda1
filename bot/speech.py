"""Voice notes into words, by a program of the operator's own choice; without one, people hear them.

The program gets the recording on its standard input and its MIME type as `AUDIO_MIME`, and prints the words in UTF-8.
Where it runs and what it keeps of a recording is the operator's to answer for: nothing here goes over a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from bot.config import SpeechSection

_PIECE: Final = 65_536
_UTF8_BYTES: Final = 4

log = structlog.get_logger()


class Speech(Protocol):
    """Whatever can write down what is said."""

    async def transcribed(self, audio: bytes, mime: str) -> str:
        """The words in a recording; "" when there are none to be had. Never raises."""
        ...


class _Failed(Exception):
    """There are no words; the message says why in one word, without any content."""


@dataclass(slots=True)
class SpeechCommand:
    """The operator's program, run once for each recording and for one at a time.

    `timeout_s` is all the time that one recording may take, waiting for its turn included. More than `max_chars`
    characters are no voice note: then there are no words.
    """

    command: tuple[str, ...]
    timeout_s: float
    max_chars: int
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def transcribed(self, audio: bytes, mime: str) -> str:
        """The words in a recording; "" when there are none to be had, with the reason in the log. Never raises."""
        try:
            async with asyncio.timeout(self.timeout_s), self._one_at_a_time:
                return await self._run(audio, mime)
        except TimeoutError:
            reason = "timed_out"
        except OSError as error:
            reason = type(error).__name__
        except _Failed as error:
            reason = str(error)
        log.warning("speech.failed", reason=reason, mime=mime, size=len(audio))
        return ""

    async def _run(self, audio: bytes, mime: str) -> str:
        # A session of its own, so that what it starts ends with it; our secrets are none of its business.
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=_environment(mime),
            start_new_session=True,
        )
        feeding = asyncio.create_task(_feed(process, audio))
        try:
            printed = await self._printed(process)
            status = await process.wait()
        except BaseException:
            await _end(process)
            raise
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        if status:
            raise _Failed(f"exit_{status}")
        return _words(printed)

    async def _printed(self, process: Process) -> bytes:
        assert process.stdout
        printed = b""
        while piece := await process.stdout.read(_PIECE):
            printed += piece
            if len(printed) > self.max_chars * _UTF8_BYTES:
                raise _Failed("too_long")
        if len(printed.decode("utf-8", "replace")) > self.max_chars:
            raise _Failed("too_long")
        return printed


def speech_of(settings: SpeechSection) -> Speech | None:
    """What writes voice notes down by these settings; None: nothing does."""
    words = tuple(shlex.split(settings.command))
    return SpeechCommand(words, settings.timeout_s, settings.max_chars) if words else None


def _environment(mime: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RANGKUL_")}
    return {**kept, "AUDIO_MIME": mime}


async def _feed(process: Process, audio: bytes) -> None:
    """Hands over the recording; a program that has heard enough may stop listening."""
    assert process.stdin
    with contextlib.suppress(ConnectionError):
        process.stdin.write(audio)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: Process) -> None:
    """Ends the program and whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _words(printed: bytes) -> str:
    try:
        return " ".join(printed.decode("utf-8").split())
    except UnicodeDecodeError:
        raise _Failed("not_text") from None
