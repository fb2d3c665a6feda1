"""The words of the web pages, read once from `words.yaml`."""

from __future__ import annotations

from importlib import resources

import msgspec

from nlu.values import Refusal


class Persona(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card on the demo's start screen; the numbers to try come from `bot.demo`."""

    name: str
    text: str


class PageWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser's own code says."""

    bot_name: str
    placeholder: str
    message_label: str
    send: str
    photo: str
    photo_preview: str
    photo_caption: str
    photo_remove: str
    photo_sent: str
    photo_progress: str
    photo_too_big: str
    typing: str
    you: str
    staff: str
    waiting: str
    sent: str
    offline: str
    reconnecting: str
    slow_down: str
    failed: str
    unreachable: str
    secure_form: str
    form_answer: str
    choices: str
    log: str
    newer: str
    starters: tuple[str, ...]


class ChatWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands around the conversation."""

    title: str
    trial: str
    run_by: str
    more: str
    skip: str
    welcome: str
    safety: str
    noscript: str
    forget_title: str
    forget_text: str
    forget_button: str
    idle_text: str


class StartWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demo's start screen."""

    title: str
    heading: str
    text: str
    numbers: str
    nik: str
    kpj: str
    paid: str
    personas: dict[str, Persona]


class EndedWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page after a conversation has left this phone."""

    idle_title: str
    idle_text: str
    idle_kept: str
    forgotten_title: str
    forgotten_text: str
    again: str


class FieldWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one field of the secure form; `numeric` asks the phone for its number keys.

    `problems` says by the reader's reason what is wrong with an answer; `other` there stands for all reasons unnamed.
    """

    label: str
    hint: str
    numeric: bool = False
    problems: dict[str, str] = {}

    def problem(self, refusal: Refusal) -> str:
        """What the page says of an answer that cannot be taken, with the facts of the refusal."""
        text = self.problems.get(refusal.reason) or self.problems.get("other", self.hint)
        return text.format(**refusal.detail)


class FormWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secure form and what follows it."""

    title: str
    why: str
    minutes: str
    send: str
    safety: str
    empty: str
    too_long: str
    done_title: str
    done_text: str
    done_back: str
    gone_title: str
    gone_text: str
    other: FieldWords
    slots: dict[str, FieldWords]

    def of_slot(self, slot: str) -> FieldWords:
        """The field's words; plain ones for a slot that has none of its own."""
        return self.slots.get(slot, self.other)


class ErrorWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a refused request says; the page shows it."""

    bad_request: str
    too_long: str
    empty: str
    wrong_origin: str
    ended: str
    slow_down: str
    upload_too_long: str
    unavailable: str
    not_found: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `words.yaml`."""

    page: PageWords
    chat: ChatWords
    start: StartWords
    ended: EndedWords
    form: FormWords
    errors: ErrorWords


def load_words() -> Words:
    """Raises msgspec.ValidationError naming the place when a word is missing or unknown."""
    return msgspec.yaml.decode(resources.files("bot.web").joinpath("words.yaml").read_bytes(), type=Words)
