"""The copy check for platforms: nothing in the real copy, and everything that it is there to find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.channels.base import Traits
from bot.channels.traits import TELEGRAM, WHATSAPP, traits_of
from bot.commands.channel_copy import platforms, problems
from bot.config import Config
from flows.catalogue import load_flows
from flows.copybook import CopyBook
from flows.flow import Ask, Flow, Outcome
from flows.settings import Settings
from flows.work import Flows

FLOWS = load_flows(Settings())
BY_LINK = {"whatsapp": replace(WHATSAPP, ids_by_link=True)}
TEST_CHANNELS: Mapping[str, Traits] = {"telegram": TELEGRAM, **BY_LINK}


def found(changes: Mapping[str, str | None], channels: Mapping[str, Traits] = TEST_CHANNELS) -> list[str]:
    """What the check says when keys of the copy are changed, or taken out (None)."""
    texts = {**FLOWS.copy.texts, **changes}
    copy = CopyBook({key: text for key, text in texts.items() if text is not None})
    return list(problems(replace(FLOWS, copy=copy), channels))


def test_real_copy_fits_every_platform() -> None:
    """What ships fits, under the settings that ship: on WhatsApp numbers are asked for by a link."""
    shipped = platforms(Config())
    assert set(shipped) == {"telegram", "whatsapp"}
    assert shipped["whatsapp"].ids_by_link
    assert shipped["whatsapp"] == traits_of("whatsapp", Config())
    assert list(problems(FLOWS, shipped)) == []
    assert found({}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"label/category_other": "Bukan yang mana pun ya"}, "label/category_other: a button of 22 characters"),
        ({"label/category_other": "Bukan yang mana pun ya"}, "label/category_other: a list row of 26 characters"),
        ({"label/category_other": "Lainnya 🙏🙏🙏🙏🙏🙏🙏"}, "label/category_other: a button of 22 characters"),
        ({"enroll/ask_nik@link": "Isi di halaman ini untuk {whose}."}, "enroll/ask_nik@link: has no {link}"),
        ({"enroll/ask_nik@link": "Isi di sini: {link}"}, "has not the placeholders of enroll/ask_nik: whose"),
        ({"enroll/ask_nik@link": "{whose}, {sapa}: {link}"}, "has not the placeholders of enroll/ask_nik: sapa"),
        ({"enroll/ask_hobby@link": "Isi: {link}"}, "there is no enroll/ask_hobby that it could stand for"),
        ({"reject/nik": "Coba ketik lagi nomor KTP-nya."}, "whatsapp: copy: reject/nik: asks to type"),
        ({"reject/nik/2@link": None}, "whatsapp: copy: reject/nik/2: asks to type an identity number"),
        ({"enroll/ask_nik/2@link": None}, "whatsapp: copy: enroll/ask_nik/2: asks to type an identity number"),
        ({"engine/still_stuck": "Tulis 16 angka saja."}, "whatsapp: copy: engine/still_stuck: asks to type"),
        ({"enroll/ask_region": "kata " * 210 + "\nDi mana?"}, "whatsapp: copy: enroll/ask_region: 1072 characters"),
        ({"enroll/ask_region": "kata " * 900 + "\nDi mana?"}, "telegram: copy: enroll/ask_region: 4522 characters"),
        ({"check_membership/active": "{name} " * 25}, "check_membership/active: 1288 characters"),
        ({"enroll/read_back": "Jadi:\n{lines}" + " benar" * 180}, "copy: enroll/read_back: its question of"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found(changes: dict[str, str | None], expected: str) -> None:
    """Long buttons and rows, link words that say something else, numbers asked for in the chat, long messages."""
    problems_found = found(changes)
    assert any(expected in problem for problem in problems_found), problems_found


def test_long_names_count_and_not_only_the_words() -> None:
    """Words that fit alone do not with the longest name in every place."""
    words = "{name} " * 30 + "\nBenar?"
    assert len(words) < 300
    assert any("enroll/ask_region" in problem for problem in found({"enroll/ask_region": words}, BY_LINK))


def test_number_may_be_typed_where_it_is_no_matter() -> None:
    """Telegram has no such rule: the words for typing stand there."""
    assert not found({"reject/nik": "Coba ketik lagi nomor KTP-nya."}, {"telegram": TELEGRAM})


def test_question_for_a_whole_number_without_our_page_is_found() -> None:
    """A new question for a card number must come with the one-field page."""
    asks = Flow("asks", (Ask("kpj", "kpj"),), finish=lambda _: Outcome(()))
    flows = Flows({**FLOWS.by_name, "asks": asks}, FLOWS.copy, FLOWS.settings)
    assert "flow asks: kpj is a whole number of identity and has no one-field page" in list(problems(flows, BY_LINK))
    mended = Flow("asks", (Ask("kpj", "kpj", form=True),), finish=lambda _: Outcome(()))
    assert list(problems(replace(flows, by_name={**FLOWS.by_name, "asks": mended}), BY_LINK)) == []
