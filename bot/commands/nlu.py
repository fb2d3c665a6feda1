"""`rangkul nlu`: parse a message, read a value, train the engine, measure it, review what it did not understand."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final, TextIO, TypeVar

import msgspec

from bot.config import load_config
from bot.loopback import Loopback, NoAnswer
from bot.rasa import Rasa
from nlu.embedded.train import TrainingFailed, ensure_trained
from nlu.evaluate import (
    VERY_CONFIDENT,
    EntityReport,
    EvaluationFileError,
    LabelReport,
    Report,
    Share,
    ValueReport,
    WrongRow,
    evaluate,
    figure_of,
    read_table,
)
from nlu.rasa_answer import BadAnswer
from nlu.training_data import DATA_DIR
from nlu.understand import Understander, load_embedded
from nlu.understanding import Understanding
from nlu.values import KINDS, Reading, read

EMBEDDED: Final = "embedded"
RASA: Final = "rasa"

RASA_WITHIN_S: Final = 10.0
"""Measuring waits longer than a person would: it is about what is answered."""

T = TypeVar("T")

_WIB: Final = timezone(timedelta(hours=7))
"""Programme dates are those of Western Indonesia, which has kept UTC+7 without summer time since 1988."""

_DONE, _BELOW_FLOOR, _UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done, 1 below the floor, 2 unusable input (the reason is on standard error). Raises ConfigError."""
    given = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = given.carry_out
    try:
        return verb(given)
    except BrokenPipeError:  # whoever read our output has had enough; that is no unusable input
        raise
    except (EvaluationFileError, TrainingFailed, EngineGone, OSError) as error:
        print(f"rangkul nlu: {error}", file=sys.stderr)
        return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rangkul nlu", description=__doc__)
    parser.add_argument("--config", type=Path, help="another file of settings than config.yaml")
    verbs = parser.add_subparsers(required=True, metavar="verb")

    parse = verbs.add_parser("parse", help="what a message is taken to mean, as JSON")
    parse.add_argument("text", nargs="?", help="the message")
    parse.add_argument("--lines", action="store_true", help="one message a line from standard input")
    _add_engine(parse)
    parse.set_defaults(carry_out=_parse)

    value = verbs.add_parser("read", help="an answer to a question, read as one kind of value, as JSON")
    value.add_argument("kind", choices=sorted(KINDS), metavar="kind", help=", ".join(sorted(KINDS)))
    value.add_argument("text")
    value.add_argument("--option", action="append", default=[], metavar="LABEL", help="for choice: what was offered")
    _add_today(value)
    value.set_defaults(carry_out=_read)

    train = verbs.add_parser("train", help="train the embedded engine, unless its data are as before")
    train.set_defaults(carry_out=_train)

    measure = verbs.add_parser("evaluate", help="measure on labelled files, told apart by their header")
    measure.add_argument("files", nargs="+", type=Path, metavar="FILE")
    measure.add_argument("--json", action="store_true", help="one JSON object, a key per file")
    measure.add_argument("--out", type=Path, metavar="FILE", help="write the rows that came out wrong")
    measure.add_argument("--floor", type=float, metavar="SHARE", help="exit 1 if the figure of any file is lower")
    _add_engine(measure)
    measure.set_defaults(carry_out=_evaluate)

    _add_review(verbs)
    return parser


def _add_review(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    review = verbs.add_parser("review", help="label what people wrote that was not understood, and learn from it")
    review.add_argument("--limit", type=int, default=50, metavar="N", help="messages at most (default %(default)s)")
    review.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="only messages from this day on (UTC)")
    review.add_argument(
        "--list", action="store_true", help="print them as lines of `text`, `label`, `why` and ask nothing"
    )
    review.add_argument(
        "--label", type=Path, metavar="FILE", help="write the labelled rows of such a file into the data"
    )
    review.add_argument("--data", type=Path, default=DATA_DIR, metavar="FOLDER", help="the training files")
    review.add_argument("--database", metavar="URL", help="another database than the configured one")
    review.set_defaults(carry_out=_review)


def _review(args: argparse.Namespace) -> int:
    from bot.commands import nlu_review  # opens the records, which the other verbs do without

    return nlu_review.carry_out(args)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        type=_engine_names,
        default=(EMBEDDED,),
        metavar="NAME[,NAME]",
        help="embedded (default), rasa (the server that `make rasa` starts), or both side by side: embedded,rasa",
    )
    _add_today(parser)


def _engine_names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if not set(names) <= {EMBEDDED, RASA}:
        raise argparse.ArgumentTypeError(f"{text!r} is not embedded, rasa or embedded,rasa")
    return names


def _add_today(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--today", type=date.fromisoformat, metavar="DATE", help="the day relative dates are read from (2026-11-23)"
    )


def _train(args: argparse.Namespace) -> int:
    print(_model_dir(args))
    return _DONE


# ── parse and read ────────────────────────────────────────────────────────────────────────────────────────────────


class _Parsed(Understanding, frozen=True, kw_only=True):
    """An `Understanding` as testers read it: with the one complaint category it would guess."""

    category: str


class _ReadValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reader made of an answer: a value with its doubts, or the reason why there is none."""

    kind: str
    text: str
    value: str | int | None = None
    doubts: tuple[str, ...] = ()
    refused: str | None = None
    detail: dict[str, str] = {}


def _parse(args: argparse.Namespace) -> int:
    if args.lines == (args.text is not None):
        print("rangkul nlu: give a TEXT or --lines", file=sys.stderr)
        return _UNUSABLE
    today = _today(args)
    with _understanders(args) as engines:
        for text in _messages(sys.stdin) if args.lines else [args.text]:
            parsed = {name: _parsed(engine.parse(text, today=today)) for name, engine in engines.items()}
            print(_one_line(_alone_or_all(parsed)), flush=True)
    return _DONE


def _messages(lines: TextIO) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in lines)


def _alone_or_all(by_engine: Mapping[str, T]) -> T | Mapping[str, T]:
    """What one engine said as it is; what several said, under their names."""
    return by_engine if len(by_engine) > 1 else next(iter(by_engine.values()))


def _parsed(understanding: Understanding) -> _Parsed:
    known = {name: getattr(understanding, name) for name in understanding.__struct_fields__}
    return _Parsed(**known, category=understanding.categories[0].name)


def _read(args: argparse.Namespace) -> int:
    print(_one_line(_read_value(args.kind, args.text, _today(args), tuple(args.option))))
    return _DONE


def _read_value(kind: str, text: str, today: date, options: tuple[str, ...]) -> _ReadValue:
    reading = read(kind, text, today=today, options=options)
    detail = dict(reading.detail or {})
    if isinstance(reading, Reading):
        return _ReadValue(kind, text, value=reading.value, doubts=reading.doubts, detail=detail)
    return _ReadValue(kind, text, refused=reading.reason, detail=detail)


# ── evaluate ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _evaluate(args: argparse.Namespace) -> int:
    today = _today(args)
    reports: dict[str, dict[str, Report]] = {}
    wrong: list[tuple[str, str, WrongRow]] = []
    with _understanders(args) as engines:
        for path in args.files:
            table = read_table(path)
            measured = reports.setdefault(str(path), {})
            for name, engine in engines.items():
                measured[name], rows = evaluate(table, engine, today=today)
                wrong += ((name, str(path), row) for row in rows)
    if args.json:
        told = {path: _alone_or_all(measured) for path, measured in reports.items()}
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        print("\n\n".join(_told(path, measured) for path, measured in reports.items()))
    if args.out:
        _write_wrong(args.out, wrong, with_engine=len(args.engine) > 1)
    figures = [figure_of(report) for measured in reports.values() for report in measured.values()]
    return _BELOW_FLOOR if args.floor is not None and min(figures) < args.floor else _DONE


def _told(path: str, measured: Mapping[str, Report]) -> str:
    """One engine's figures in full; of several, first those that compare them."""
    if len(measured) == 1:
        return _summary(path, next(iter(measured.values())))
    lines = [f"{path}:"]
    lines += [
        f"  {name:<9} {figure_of(report):.1%} of {report.rows} rows; confidently wrong: {report.wrong_confident}"
        for name, report in measured.items()
    ]
    return "\n\n".join(["\n".join(lines), *(_summary(name, report) for name, report in measured.items())])


def _summary(name: str, report: Report) -> str:
    lines = [f"{name}: {figure_of(report):.1%} of {report.rows} rows; confidently wrong: {report.wrong_confident}"]
    match report:
        case LabelReport():
            lines.append(f"  macro-F1 {report.macro_f1:.3f}")
            lines.append(f"  wrong and above {VERY_CONFIDENT}: {report.wrong_very_confident / report.rows:.1%}")
            lines.append(f"  confidence is off by {report.calibration_error:.3f} on average:")
            lines += [
                f"    {each.above:.1f} to {each.below:.1f}: said {each.confidence:.2f}, right {each.accuracy:.2f}"
                f" of {each.rows}"
                for each in report.reliability
            ]
            lines += [
                f"  {style or '(no style)'}: {each.accuracy:.1%} of {each.rows}"
                for style, each in report.by_style.items()
            ]
            lines += [f"  {each.meant} taken for {each.taken_for}: {each.rows}" for each in report.confusions]
        case ValueReport():
            lines += _shares(report.by_kind)
        case EntityReport():
            lines.append(
                f"  F1; precision {report.precision:.1%}, recall {report.recall:.1%}, whole rows {report.accuracy:.1%}"
            )
            lines += [f"  {entity}: F1 {each.f1:.1%} of {each.expected}" for entity, each in report.by_entity.items()]
    return "\n".join(lines)


def _shares(shares: Mapping[str, Share]) -> list[str]:
    return [f"  {name or '(none named)'}: {each.accuracy:.1%} of {each.rows}" for name, each in shares.items()]


def _write_wrong(path: Path, wrong: Sequence[tuple[str, str, WrongRow]], *, with_engine: bool) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(f"file\tline\ttext\texpected\tgot\tconfidence{'	engine' if with_engine else ''}\n")
        for engine, name, row in wrong:
            confidence = "" if row.confidence is None else f"{row.confidence:.2f}"
            told = (name, str(row.line), row.text, row.expected, row.got, confidence)
            out.write("\t".join((*told, engine) if with_engine else told) + "\n")


# ── the engines ───────────────────────────────────────────────────────────────────────────────────────────────────


class EngineGone(Exception):
    """The Rasa server gave no answer that can be used. Its understudy must not be measured in its name."""


@dataclass(frozen=True, slots=True)
class _WaitedFor:
    """A Rasa server as a plain engine: every question is waited for."""

    rasa: Rasa
    url: str
    runner: asyncio.Runner

    def parse(self, text: str, *, today: date) -> Understanding:
        try:
            return self.runner.run(self.rasa.understand(text, today=today))
        except (NoAnswer, BadAnswer) as failure:
            raise EngineGone(f"no Rasa server answers at {self.url} ({failure}); `make rasa` starts one") from failure


@contextmanager
def _understanders(args: argparse.Namespace) -> Iterator[dict[str, Understander]]:
    """The engines that were asked for, by name."""
    embedded = load_embedded(_model_dir(args))
    url = load_config(args.config).nlu.rasa_url
    server = Loopback(url)
    with asyncio.Runner() as runner:
        rasa = _WaitedFor(Rasa(server, embedded, RASA_WITHIN_S), url, runner)
        known: dict[str, Understander] = {EMBEDDED: embedded, RASA: rasa}
        try:
            yield {name: known[name] for name in args.engine}
        finally:
            runner.run(_let_go(server))


async def _let_go(server: Loopback) -> None:
    server.close()
    await asyncio.sleep(0)  # connections close in the next round of the loop


def _model_dir(args: argparse.Namespace) -> Path:
    return ensure_trained(load_config(args.config).nlu.cache_dir)


def _today(args: argparse.Namespace) -> date:
    return args.today or datetime.now(_WIB).date()


def _one_line(value: object) -> str:
    return msgspec.json.encode(value).decode()
