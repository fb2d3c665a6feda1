"""Voice notes into words: real programs, good and bad ones, and never an exception."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from bot.config import SpeechSection, load_config
from bot.speech import Speech, SpeechCommand, speech_of

AUDIO = b"OggS" + bytes(range(256)) * 40
SECRET_WORDS = "tiga dua tujuh lima nol satu"


def program(code: str, **settings: object) -> Speech:
    """A recogniser that is this piece of Python."""
    command = shlex.join([sys.executable, "-c", code])
    made = speech_of(SpeechSection.model_validate({"command": command, **settings}))
    assert made
    return made


def heard(speech: Speech, audio: bytes = AUDIO, mime: str = "audio/ogg") -> str:
    """One recording put to the recogniser."""
    return asyncio.run(speech.transcribed(audio, mime))


def failed(speech: Speech, audio: bytes = AUDIO) -> str:
    """The reason in the log for there being no words."""
    with capture_logs() as logs:
        assert heard(speech, audio) == ""
    (line,) = [entry for entry in logs if entry["event"] == "speech.failed"]
    assert SECRET_WORDS not in repr(line)
    return str(line["reason"])


def test_no_command_is_no_recogniser() -> None:
    """Off is the default, and is None rather than something that hears nothing."""
    assert speech_of(SpeechSection()) is None
    assert speech_of(SpeechSection(command="   ")) is None


def test_program_gets_the_recording_and_its_type_and_gives_words() -> None:
    """Every byte arrives, with the type beside it; what is printed comes back as one line of words."""
    code = (
        "import os, sys, hashlib; audio = sys.stdin.buffer.read(); "
        "print(hashlib.sha256(audio).hexdigest()); print('  saya é ', os.environ['AUDIO_MIME'])"
    )
    assert heard(program(code), AUDIO * 200) == f"{sha256(AUDIO * 200).hexdigest()} saya é audio/ogg"


def test_our_secrets_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's environment has nothing of ours in it."""
    monkeypatch.setenv("RANGKUL_TELEGRAM__TOKEN", "1:secret")
    monkeypatch.setenv("OF_THE_OPERATOR", "kept")
    code = "import os; print(len([n for n in os.environ if n.startswith('RANGKUL')]), os.environ['OF_THE_OPERATOR'])"
    assert heard(program(code)) == "0 kept"


def test_silence_is_no_failure() -> None:
    """A recording without words gives none, and nothing is logged as wrong."""
    with capture_logs() as logs:
        assert heard(program("pass")) == ""
    assert logs == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (f"import sys; print('{SECRET_WORDS}'); sys.exit(3)", "exit_3"),
        ("import sys; sys.stdout.buffer.write(bytes([0xff, 0xfe, 0x41]))", "not_text"),
        (f"print('{SECRET_WORDS} ' * 1000)", "too_long"),
        ("import sys\nwhile True: sys.stdout.write('a' * 65536)", "too_long"),
        ("import os; os.kill(os.getpid(), 9)", "exit_-9"),
    ],
)
def test_bad_program_gives_no_words_and_a_reason(code: str, reason: str) -> None:
    """Whatever it does, the person's message goes on without words; the log says why and never what."""
    assert failed(program(code, max_chars=500)) == reason


def test_program_that_is_not_there_gives_no_words(tmp_path: Path) -> None:
    """A wrong path, or a file that is no program."""
    assert failed(SpeechCommand((str(tmp_path / "none"),), 5, 500)) == "FileNotFoundError"
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert failed(SpeechCommand((str(plain),), 5, 500)) == "PermissionError"


def test_program_that_reads_nothing_is_no_failure() -> None:
    """It may know enough before it has read all; a closed pipe is not our trouble."""
    assert heard(program("import os; os.close(0); print('ya')"), AUDIO * 500) == "ya"


def test_slow_program_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """After its time there are no words, and no process of its is left."""
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; "
        f"time.sleep(60)']); open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}'); time.sleep(60)"
    )
    started = time.monotonic()
    assert failed(program(code, timeout_s=5)) == "timed_out"
    assert time.monotonic() - started < 30
    own, child = map(int, note.read_text().split())
    assert not _runs(own)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Whether a process is alive; a dead one that nobody has asked about yet is not."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


def test_recordings_are_heard_one_at_a_time_within_their_time(tmp_path: Path) -> None:
    """Two at once take turns, and the one that waits too long is given up."""
    mark = tmp_path / "busy"
    code = (
        f"import os, time; p = {str(mark)!r}; print('both' if os.path.exists(p) else 'alone'); "
        "open(p, 'w').close(); time.sleep(0.3); os.remove(p)"
    )

    async def three(speech: Speech) -> list[str]:
        return await asyncio.gather(*(speech.transcribed(AUDIO, "audio/ogg") for _ in range(3)))

    assert asyncio.run(three(program(code, timeout_s=30))) == ["alone"] * 3
    seen = tmp_path / "seen"
    code = (
        f"import os, time; p = {str(seen)!r}; os.path.exists(p) and time.sleep(60); open(p, 'w').close(); print('ya')"
    )
    slow = program(code, timeout_s=5)
    with capture_logs() as logs:
        assert asyncio.run(three(slow)).count("ya") == 1
    assert [entry["reason"] for entry in logs] == ["timed_out"] * 2


def test_turn_that_is_stopped_ends_the_program(tmp_path: Path) -> None:
    """When the service stops, what it started stops with it."""
    note = tmp_path / "pid"
    os.mkfifo(note)  # reading it waits for the program
    speech = program(f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    async def stopped() -> int:
        task = asyncio.create_task(speech.transcribed(AUDIO, "audio/ogg"))
        pid = int(await asyncio.to_thread(note.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pid

    assert not _runs(asyncio.run(stopped()))


def test_command_with_an_open_quotation_is_refused() -> None:
    """A setting that cannot be read is told at start, not at the first voice note."""
    with pytest.raises(ValidationError):
        SpeechSection(command="whisper 'model")


def test_shipped_settings_have_no_recogniser() -> None:
    """Nothing is started for anybody who has not asked for it."""
    assert speech_of(load_config(Path(__file__).parents[2] / "config.yaml", environ={}).speech) is None
