"""Which of the options offered the words of a person choose."""

from __future__ import annotations

from typing import Final

from flows.model import Option
from flows.wording import plain
from flows.work import Work
from nlu.values import Reading, read

CHOICE_WORDS: Final = 4
"""Longer words are a request of their own, though a label may stand in them."""
_YES: Final = frozenset({"cancel_yes", "staff", "resume", "listen", "withdraw"})
_PLAIN_YES: Final = frozenset((
    "y", "ya", "yaa", "yah", "iya", "iyaa", "iyo", "yes", "yoi", "yup", "ok", "oke", "okay", "okeh", "sip", "siap",
    "boleh", "mau", "bole", "silakan", "silahkan", "setuju", "nggih", "enggih", "njih", "enya", "muhun", "sambungkan",
    "sambungin", "panggil", "panggilkan", "panggilin", "petugas", "tolong", "gas", "lanjut", "deh", "dong", "aja",
    "saja", "kak", "min", "pak", "bu", "mas", "mbak", "bang", "udah", "yaudah", "gapapa", "dulu",
))  # fmt: skip
_NO: Final = frozenset({"resume", "again", "menu", "drop", "unheard"})


def option_named(work: Work, text: str) -> Option | None:
    """The offered option that these words name exactly."""
    said = plain(text)
    if not work.asked or not said:
        return None
    return next((option for option in work.asked.options if plain(option.title) == said), None)


def option_chosen(work: Work, text: str) -> Option | None:
    """The option that the words choose by number, place or part of its label."""
    if not work.asked or not work.asked.options or len(plain(text).split()) > CHOICE_WORDS:
        return None
    titles = [option.title for option in work.asked.options]
    result = read("choice", text, today=work.today, options=titles)
    if isinstance(result, Reading) and isinstance(result.value, int):
        return work.asked.options[result.value - 1]
    return None


def option_agreed(work: Work, text: str) -> Option | None:
    """The option that a plain yes or no stands for, where the question can be answered so."""
    assert work.asked
    if len(plain(text).split()) > CHOICE_WORDS:
        return None
    result = read("affirm_deny", text, today=work.today)
    if not isinstance(result, Reading) or result.value == "unclear" or work.asked.key.startswith("engine/menu"):
        return None
    wanted = _YES if result.value == "yes" else _NO
    options = work.asked.options if result.value == "yes" else tuple(reversed(work.asked.options))
    agreed = next((option for option in options if option.action.partition(":")[0] in wanted), None)
    # Calling a human is no answer to "kirim" or "sudah benar", which agree to something else.
    calls = agreed is not None and agreed.action == "staff"
    return None if calls and not _PLAIN_YES.issuperset(plain(text).split()) else agreed


def task_begun(option: Option) -> str:
    """The task that an option begins, '' when it answers, sends or tells something."""
    verb, _, argument = option.action.partition(":")
    return argument if verb == "start" and not argument.startswith("faq/") else ""


def says_no(work: Work, text: str) -> bool:
    """Whether few words plainly say no."""
    if len(plain(text).split()) > CHOICE_WORDS:
        return False
    result = read("affirm_deny", text, today=work.today)
    return isinstance(result, Reading) and result.value == "no"
