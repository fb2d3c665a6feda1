"""Everything about the Rasa engine: its environment, training, serving, measuring. `make rasa` does the first three.

    setup                   makes .venv-rasa from requirements/rasa.txt, every package by its hash
    train  [--epochs N]     trains nlu/, unless these data and this pipeline have been trained before
    serve  [--port N]       serves the trained model on 127.0.0.1, training it first if it has to
    validate                lets Rasa look for mistakes in nlu/
    test   [FILE.tsv]       lets Rasa measure the trained model on a file of texts and intents
    learn  [FOLDER]         lets the pipeline of nlu/ learn train.tsv of a folder and measures it on its test.tsv
    check                   whether a real server and our client fit together, by a quick pipeline, in bounded time;
                            what pip and Rasa say meanwhile goes to var/rasa/check.log and is shown if it fails

Rasa needs Python 3.10 and libraries older than ours; nothing here imports them, and nothing of Rasa is imported by
the service. Needs the standard library alone. Telemetry is off, and nothing but the packages is fetched.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(__file__).resolve().parent.parent
NLU: Final = HOME / "nlu"
VENV: Final = HOME / ".venv-rasa"
MODELS: Final = HOME / "var" / "rasa"
REQUIREMENTS: Final = HOME / "requirements" / "rasa.txt"
LEARNER: Final = HOME / "tests" / "nlu" / "learner"
HOLDOUT: Final = HOME / "tests" / "nlu" / "intents_holdout.tsv"
CHECK: Final = HOME / "tests" / "nlu" / "rasa_check.py"

PORT: Final = 5005
CHECK_WITHIN_S: Final = 720.0
"""Seconds that `check` may take in all, installing included."""

CHECK_LOG: Final = MODELS / "check.log"
SHOWN_LINES: Final = 40
"""How much of that log is shown when the check fails."""

NO_PYTHON: Final = """\
The Rasa engine needs Python 3.10, and there is none here. Ways to get one:
  pyenv install 3.10          then run this again; it is found by itself
  uv python install 3.10      then RASA_PYTHON=$(uv python find 3.10)
  your system's package       python3.10 with its venv module, on PATH
Or name one that you have: RASA_PYTHON=/path/to/python3.10
Rangkul itself does not need it: the embedded engine is the default."""


class Refused(Exception):
    """Cannot go on; the message says why in plain words."""


class OutOfTime(Refused):
    """The time that was given is over."""


# ── the environment ──────────────────────────────────────────────────────────────────────────────


def find_python() -> str | None:
    """A Python 3.10 that can make environments: as named by RASA_PYTHON, on PATH, of pyenv, of uv."""
    if named := os.environ.get("RASA_PYTHON"):
        if not _is_right(named):
            raise Refused(f"RASA_PYTHON={named} is no Python 3.10 with the venv module")
        return named
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "uv" / "python"
    candidates = [
        shutil.which("python3.10"),
        *(str(path) for path in sorted(pyenv.glob("versions/3.10*/bin/python3.10"), reverse=True)),
        *(str(path) for path in sorted(uv.glob("cpython-3.10*/bin/python3.10"), reverse=True)),
    ]
    return next((path for path in candidates if path and _is_right(path)), None)


def _is_right(python: str) -> bool:
    probe = "import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 10))"
    try:
        return subprocess.run([python, "-c", probe], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@dataclass(frozen=True)
class Bounds:
    """What a run of other programs is held to: `until` by the monotonic clock, and where their words go.

    None is without end, and the terminal.
    """

    until: float | None = None
    log: Path | None = None


FREE: Final = Bounds()


def set_up(bounds: Bounds = FREE) -> None:
    """Makes the environment, unless it is there and made of these very packages."""
    mark = VENV / ".made-of"
    wanted = _digest([REQUIREMENTS])
    if mark.is_file() and mark.read_text() == wanted:
        return
    python = find_python()
    if python is None:
        raise Refused(NO_PYTHON)
    _say(f"making {VENV.name} (2.4 GB) with {python}")
    _run([python, "-m", "venv", "--clear", str(VENV)], bounds)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    began = time.monotonic()
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)], bounds)
    _say(f"installed in {time.monotonic() - began:.0f} s")
    mark.write_text(wanted)


def environment() -> dict[str, str]:
    """What Rasa runs under: no telemetry, quiet libraries, caches inside `var/`."""
    return {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_CACHE_DIRECTORY": str(MODELS / "steps"),
        "MPLCONFIGDIR": str(MODELS / "matplotlib"),
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONWARNINGS": "ignore",
    }


# ── training ─────────────────────────────────────────────────────────────────────────────────────


def trained(*, epochs: int | None, quick: bool = False, bounds: Bounds = FREE) -> Path:
    """The model of what `nlu/` holds now, trained if there is none yet."""
    set_up(bounds)
    pipeline = _pipeline("config_quick.yml" if quick else "config.yml", epochs)
    folder = MODELS / _digest([*_data_files(), NLU / "domain.yml", REQUIREMENTS], pipeline)[:16]
    model = folder / "model.tar.gz"
    if not model.is_file():
        _train(folder, pipeline, bounds)
    return model


def _pipeline(name: str, epochs: int | None) -> str:
    pipeline = (NLU / name).read_text(encoding="utf-8")
    return pipeline if epochs is None else re.sub(r"\bepochs: \d+", f"epochs: {epochs}", pipeline)


def _train(folder: Path, pipeline: str, bounds: Bounds) -> None:
    """Trains beside `folder` and moves the whole there, so that nobody meets half a model."""
    MODELS.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="training-", dir=MODELS))
    try:
        config = made / "config.yml"
        config.write_text(pipeline, encoding="utf-8")
        began = time.monotonic()
        _say(f"training into {folder.relative_to(HOME)}")
        command = ["train", "nlu", "--nlu", str(NLU / "data"), "--domain", str(NLU / "domain.yml")]
        _rasa([*command, "--config", str(config), "--out", str(made), "--fixed-model-name", "model"], bounds)
        _say(f"trained in {time.monotonic() - began:.0f} s")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _data_files() -> list[Path]:
    """What Rasa reads of `nlu/data`; the complaints are the embedded engine's alone."""
    return sorted(path for path in (NLU / "data").glob("*.yml") if path.name != "complaints.yml")


def _digest(paths: Sequence[Path], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


# ── serving, looking, measuring ──────────────────────────────────────────────────────────────────


def _serving(model: Path, port: int) -> list[str]:
    return [*_rasa_program(), "run", "--enable-api", "-i", "127.0.0.1", "-p", str(port), "-m", str(model)]


def serve(port: int, epochs: int | None) -> None:
    """Becomes the server; does not come back."""
    model = trained(epochs=epochs)
    _say(f"serving on http://127.0.0.1:{port}; RANGKUL_NLU__ENGINE=rasa makes Rangkul ask here")
    os.chdir(model.parent)  # so that no file of settings that lies about is taken for Rasa's
    command = _serving(model, port)
    os.execve(command[0], command, environment())  # noqa: S606


def validate() -> None:
    set_up()
    parts = ["--data", str(NLU / "data"), "--domain", str(NLU / "domain.yml"), "--config", str(NLU / "config.yml")]
    _rasa(["data", "validate", *parts])


def test(rows: Path, epochs: int | None) -> None:
    """Rasa's own evaluation, in two figures: intents with all topics as one, and topics alone."""
    model = trained(epochs=epochs)
    with tempfile.TemporaryDirectory(prefix="testing-", dir=MODELS) as folder:
        data = Path(folder, "rows.yml")
        data.write_text(_as_rasa_data(_by_intent(rows)), encoding="utf-8")
        out = Path(folder, "results")
        parts = ["--nlu", str(data), "--model", str(model), "--domain", str(NLU / "domain.yml"), "--out", str(out)]
        _rasa(["test", "nlu", *parts, "--no-plot"])
        for name in ("intent_report", "response_selection_report"):
            report = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
            f1 = report["macro avg"]["f1-score"]
            _say(f"{name.replace('_', ' ')}: accuracy {_accuracy(report):.4f}, macro F1 {f1:.4f}")


def learn(split: Path, epochs: int | None) -> None:
    """How well the pipeline learns another domain: what `tools/learner_check.py` is to the embedded engine."""
    set_up()
    MODELS.mkdir(parents=True, exist_ok=True)
    pipeline = _pipeline("config.yml", epochs)
    learnt, asked = _by_intent(split / "train.tsv"), _by_intent(split / "test.tsv")
    with tempfile.TemporaryDirectory(prefix="learning-", dir=MODELS) as name:
        folder = Path(name)
        files = {part: folder / f"{part}.yml" for part in ("domain", "train", "test", "config")}
        files["domain"].write_text(f"version: '3.1'\nintents: [{', '.join(learnt)}]\n", encoding="utf-8")
        files["train"].write_text(_as_rasa_data(learnt), encoding="utf-8")
        files["test"].write_text(_as_rasa_data(asked), encoding="utf-8")
        files["config"].write_text(pipeline, encoding="utf-8")
        bounds = Bounds(log=MODELS / "learn.log")
        began = time.monotonic()
        given = ["--nlu", str(files["train"]), "--domain", str(files["domain"]), "--config", str(files["config"])]
        _rasa(["train", "nlu", *given, "--out", str(folder), "--fixed-model-name", "model"], bounds)
        trained = time.monotonic() - began
        given = ["--nlu", str(files["test"]), "--domain", str(files["domain"]), "--model", str(folder / "model.tar.gz")]
        _rasa(["test", "nlu", *given, "--out", str(folder), "--no-plot"], bounds)
        report = json.loads((folder / "intent_report.json").read_text(encoding="utf-8"))
    figures = {
        "train_rows": sum(map(len, learnt.values())),
        "test_rows": sum(map(len, asked.values())),
        "intents": len(learnt),
        "accuracy": round(_accuracy(report), 4),
        "macro_f1": round(report["macro avg"]["f1-score"], 4),
        "train_s": round(trained, 2),
    }
    _say(json.dumps(figures))


def _accuracy(report: dict[str, Any]) -> float:
    """The share right in one of Rasa's reports; as a micro average where some labels were never predicted."""
    return float(report["accuracy"] if "accuracy" in report else report["micro avg"]["f1-score"])


def _by_intent(rows: Path) -> dict[str, list[str]]:
    """The texts of a file of `text<TAB>intent` rows, by intent."""
    header, *lines = rows.read_text(encoding="utf-8-sig").splitlines()
    if header.split("\t")[:2] != ["text", "intent"]:
        raise Refused(f"{rows}: its header must begin with text, intent")
    by_intent: dict[str, list[str]] = {}
    for line in lines:
        if line.strip():
            text, intent, *_ = line.split("\t")
            by_intent.setdefault(intent.strip(), []).append(text)
    return by_intent


def _as_rasa_data(by_intent: dict[str, list[str]]) -> str:
    """Texts by intent in Rasa's notation."""
    blocks = ["version: '3.1'", "nlu:"]
    for name, texts in by_intent.items():
        blocks += [f"- intent: {name}", "  examples: |", *(f"    - {text}" for text in texts)]
    return "\n".join(blocks) + "\n"


def check() -> None:
    """Installs, trains the quick pipeline, serves, and runs the checks of `CHECK`; all within `CHECK_WITHIN_S`."""
    if find_python() is None:
        _say(NO_PYTHON)
        _say("Nothing to check the client against: passed.")
        return
    MODELS.mkdir(parents=True, exist_ok=True)
    CHECK_LOG.write_bytes(b"")
    bounds = Bounds(time.monotonic() + CHECK_WITHIN_S, CHECK_LOG)
    try:
        model = trained(epochs=None, quick=True, bounds=bounds)
    except Refused as refused:
        said = CHECK_LOG.read_text("utf-8", "replace").replace("\r", "\n").splitlines()
        raise Refused("\n".join([*said[-SHOWN_LINES:], str(refused)])) from refused
    with _server(model, bounds) as server:
        pytest = [sys.executable, "-m", "pytest", str(CHECK)]
        _run(pytest, Bounds(bounds.until), {**os.environ, "RASA_CHECK_URL": server.url})


@dataclass(frozen=True)
class Server:
    """A running server: its address and process."""

    url: str
    pid: int


@contextlib.contextmanager
def _server(model: Path, bounds: Bounds) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    log = model.parent / "server.log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            _serving(model, port), env=environment(), cwd=model.parent, stdout=said, stderr=said, start_new_session=True
        )
    try:
        while not _is_ready(url):
            if server.poll() is not None:
                raise Refused(f"the server ended by itself; see {log}")
            if bounds.until is not None and time.monotonic() > bounds.until:
                raise OutOfTime("the server did not get ready in time")
            time.sleep(0.5)
        _say(f"the server was ready after {time.monotonic() - began:.0f} s")
        yield Server(url, server.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):  # whoever used it may have killed it
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/status", timeout=2) as answer:  # noqa: S310
            return bool(json.loads(answer.read()).get("model_file"))
    except (OSError, ValueError):
        return False


# ── running ──────────────────────────────────────────────────────────────────────────────────────


def _rasa_program() -> list[str]:
    return [str(VENV / "bin" / "python"), "-m", "rasa"]


def _rasa(arguments: Sequence[str], bounds: Bounds = FREE) -> None:
    _run([*_rasa_program(), *arguments], bounds, environment())


def _run(command: Sequence[str], bounds: Bounds = FREE, env: dict[str, str] | None = None) -> None:
    left = None if bounds.until is None else max(1.0, bounds.until - time.monotonic())
    with contextlib.ExitStack() as files:
        said = None if bounds.log is None else files.enter_context(bounds.log.open("ab"))
        try:
            ended = subprocess.run(command, env=env, cwd=HOME, timeout=left, stdout=said, stderr=said)
        except subprocess.TimeoutExpired as error:
            raise OutOfTime(f"out of time while running {' '.join(command[:4])} …") from error
    if ended.returncode != 0:
        where = "" if bounds.log is None else f"; see {bounds.log}"
        raise Refused(f"{' '.join(command[:4])} … ended with {ended.returncode}{where}")


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("setup", "train", "serve", "validate", "test", "learn", "check"))
    parser.add_argument("file", nargs="?", type=Path, help="for test: another file of rows; for learn: another folder")
    parser.add_argument("--epochs", type=int, help="instead of those in nlu/config.yml")
    parser.add_argument("--port", type=int, default=PORT)
    args = parser.parse_args()
    try:
        match args.verb:
            case "setup":
                set_up()
            case "train":
                _say(str(trained(epochs=args.epochs)))
            case "serve":
                serve(args.port, args.epochs)
            case "validate":
                validate()
            case "test":
                test(args.file or HOLDOUT, args.epochs)
            case "learn":
                learn(args.file or LEARNER, args.epochs)
            case "check":
                check()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
