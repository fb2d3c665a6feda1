"""The copy: every word that people read, by reply key, in `flows/copy/id.yaml`.

Figures never stand in copy as digits. `{fact:KEY}` is a dated fact, `{tariff:INCOME:PROGRAMMES}` and
`{tariff_discounted:INCOME:PROGRAMMES}` a row of the contribution table; they are filled in when the book is
loaded. `{name}` is an argument of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import yaml

from flows.format import rupiah
from flows.model import Say
from flows.rules.contributions import bracket_for
from flows.rules.facts import load_facts, render, telling

LANGUAGE: Final = "id"
_FIGURE: Final = re.compile(r"\{(fact|tariff|tariff_discounted):([^}]+)\}")
_ARGUMENT: Final = re.compile(r"\{([a-z_]+)\}")


class CopyError(Exception):
    """The copy cannot be used; `problems` lists every reason at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class MissingCopyError(LookupError):
    """A reply key or an argument that the copy does not have: a bug of ours, never the person's."""


@dataclass(frozen=True, slots=True)
class CopyBook:
    """Texts by reply key. Rendering the same `Say` always gives the same words."""

    texts: Mapping[str, str]

    def has(self, key: str) -> bool:
        """Whether the copy has this key."""
        return key in self.texts

    def label(self, key: str, **args: str) -> str:
        """A short text in one piece: a button, the name of a slot or a task. Raises MissingCopyError."""
        return self._fill(key, args)

    def render(self, say: Say) -> str:
        """The message as the person reads it. With `progress` its last line says where in the form we are.

        Raises MissingCopyError for an unknown key or an argument that was not given.
        """
        text = self._fill(say.key, say.args)
        progress = say.args.get("progress")
        if not progress:
            return text
        head, newline, question = text.rpartition("\n")
        return f"{head}{newline}{progress} {question}"

    def _fill(self, key: str, args: Mapping[str, str]) -> str:
        if key not in self.texts:
            raise MissingCopyError(f"no copy for {key!r}")

        def argument(match: re.Match[str]) -> str:
            try:
                return args[match[1]]
            except KeyError:
                raise MissingCopyError(f"{key!r} needs {{{match[1]}}}") from None

        filled = _ARGUMENT.sub(argument, self.texts[key])
        return filled[:1].upper() + filled[1:] if "/" in key and not key.startswith("label/") else filled


def load_copy() -> CopyBook:
    """The Indonesian copy with all figures filled in. Raises CopyError that lists every problem."""
    # The compiled safe loader reads this file about ten times as fast; start-up is counted in seconds.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(files("flows").joinpath("copy", f"{LANGUAGE}.yaml").read_text("utf-8"), loader)  # noqa: S506
    problems: list[str] = []
    texts: dict[str, str] = {}
    for key, text in raw.items():
        try:
            texts[key] = _FIGURE.sub(_figure, str(text).strip())
        except (LookupError, ValueError) as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise CopyError(problems)
    return CopyBook(texts)


def arguments_of(text: str) -> frozenset[str]:
    """The arguments a text asks for."""
    return frozenset(_ARGUMENT.findall(text))


def _figure(match: re.Match[str]) -> str:
    kind, argument = match[1], match[2]
    if kind == "fact":
        fact = load_facts()[argument]
        if telling(fact) == "ask_staff":
            raise ValueError(f"fact {argument!r} is unsure and may not be told")
        return render(fact)
    income, programmes = argument.split(":")
    bracket = bracket_for(int(income))
    share = 2 if kind == "tariff_discounted" else 1
    covered = (bracket.jkk + bracket.jkm) // share
    return rupiah(covered + (bracket.jht if programmes == "3" else 0))
