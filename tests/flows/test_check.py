"""The copy check: it finds what it is there to find, and nothing in the real copy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.check import problems, text_problems
from flows.copybook import CopyBook, MissingCopyError, load_copy
from flows.flow import Ask, Flow, Outcome
from flows.model import Say
from flows.work import Flows
from nlu.training_data import read_training_data

INTENTS = frozenset(example.label for example in read_training_data().intents)


def test_real_copy_and_flows_have_no_problem(flows: Flows) -> None:
    """Every task, key, button and sentence that ships is in order."""
    assert problems(flows, INTENTS) == []


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("label/x", "Dua puluh satu huruf.", "21 characters"),
        ("x/y", "Siapa namanya?\nBerapa umurnya?", "more than one question"),
        ("x/y", "Input tidak valid.", "tidak valid"),
        ("x/y", "kata " * 30, "words a sentence"),
        ("x/y", "panjang. " * 130, "1024 at most"),
    ],
)
def test_clumsy_text_is_found(key: str, text: str, found: str) -> None:
    """Long buttons, two questions, shunned words, long sentences and long messages are each named."""
    assert any(found in problem for problem in text_problems(key, text))


def test_missing_key_and_unknown_intent_are_found(flows: Flows) -> None:
    """A flow without copy, labels or intent is reported once for each."""
    lost = Flow(name="lost", steps=(Ask("thing", "free", label="thing"),), finish=lambda _: Outcome(()), read_back=True)
    found = problems(replace(flows, by_name={**flows.by_name, "lost": lost}), INTENTS)
    for expected in ("no such intent", "lost/ask_thing", "label/thing", "lost/read_back", "label/task_lost"):
        assert any(expected in problem for problem in found), expected


def test_topic_without_an_answer_is_found(flows: Flows) -> None:
    """Every topic that understanding knows needs its answer."""
    texts = {key: text for key, text in flows.copy.texts.items() if key != "faq/late_payment"}
    assert "copy: no answer for faq/late_payment" in problems(replace(flows, copy=CopyBook(texts)), INTENTS)


def test_rendering_needs_every_argument() -> None:
    """A key or an argument that is missing is a bug of ours, and loud."""
    book = CopyBook({"a/b": "halo {name}"})
    assert book.render(Say("a/b", {"name": "Budi"})) == "Halo Budi"
    with pytest.raises(MissingCopyError):
        book.render(Say("a/b"))
    with pytest.raises(MissingCopyError):
        book.render(Say("a/c"))


def test_arguments_are_not_read_as_placeholders() -> None:
    """What a person typed may hold braces, and stays as typed."""
    book = CopyBook({"a/b": "Kata: {words}"})
    assert book.render(Say("a/b", {"words": "{sapa} {fact:x}"})) == "Kata: {sapa} {fact:x}"


def test_progress_stands_before_the_question() -> None:
    """Where we are is told on the line of the question."""
    book = CopyBook({"a/b": "Pendahuluan.\nSiapa namanya?"})
    assert book.render(Say("a/b", {"progress": "(3 dari 8)"})) == "Pendahuluan.\n(3 dari 8) Siapa namanya?"


def test_figures_are_filled_in_from_dated_data() -> None:
    """No placeholder for a fact or a tariff is left in the loaded copy."""
    texts = load_copy().texts
    assert not [key for key, text in texts.items() if "{fact:" in text or "{tariff" in text]
    assert "Rp42.000.000" in texts["faq/program_jkm"]
