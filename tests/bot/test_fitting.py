"""Replies fitted into a platform: within every limit, nothing lost, and the question where it can be answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Traits
from bot.channels.traits import TELEGRAM, WHATSAPP
from bot.fitting import fitted, length, limit_of, numbered_title, pieces_of, said_in
from flows.copybook import load_copy
from storage.outbox import Button, Part, Rendered

COPY = load_copy()
SMALL = Traits(max_chars=60, max_chars_asking=30, max_caption=20, max_buttons=3, max_rows=4, merges=True)
WORDS = st.text(st.sampled_from("ab .!?\n😀"), max_size=400)


def buttons(count: int, question: int = 7) -> tuple[Button, ...]:
    return tuple(Button(f"Pilihan {place}", f"{question}.{place}") for place in range(count))


def squeezed(text: str) -> str:
    """The text without what separates pieces."""
    return "".join(text.split())


@pytest.mark.parametrize("traits", [TELEGRAM, WHATSAPP, SMALL])
@given(texts=st.lists(WORDS, min_size=1, max_size=4), count=st.integers(0, 20), picture=st.booleans())
def test_every_message_fits_and_nothing_is_lost(traits: Traits, texts: list[str], count: int, picture: bool) -> None:
    """Whatever is said: each message is within its limit, all words arrive in order, and all of it can be pressed."""
    said = [Rendered(f"k/{place}", text) for place, text in enumerate(texts)]
    said[-1] = Rendered("k/last", texts[-1], buttons(count), picture="table" if picture else "")
    sent = fitted(said, traits, COPY)
    assert all(length(message.text) <= limit_of(message, traits) for message in sent)
    plain = [message for message in sent if message.shown_as != "text"]
    if len(plain) == len(sent):
        assert squeezed("".join(message.text for message in sent)) == squeezed("".join(texts))
    assert not any(message.options for message in sent[:-1])
    assert [part.key for message in sent for part in said_in(message) if part.key] == [one.key for one in said]
    assert [part.text for message in sent for part in said_in(message) if part.key] == texts
    assert sum(message.picture == "table" for message in sent) == picture


def test_what_is_said_in_one_go_is_one_message() -> None:
    """Two notes and a question become one bubble, and what was said in it is still known."""
    said = (Rendered("a", "Saya catat."), Rendered("b", "Lanjut."), Rendered("c", "Siapa?", buttons(2)))
    (message,) = fitted(said, TELEGRAM, COPY)
    assert message.text == "Saya catat.\n\nLanjut.\n\nSiapa?"
    assert message.options == buttons(2)
    assert said_in(message) == (Part("a", "Saya catat."), Part("b", "Lanjut."), Part("c", "Siapa?"))


def test_what_has_something_to_press_stays_by_itself() -> None:
    """A question is never buried in the middle of a message."""
    said = (Rendered("a", "Siapa?", buttons(2)), Rendered("b", "Ada kabar."))
    assert [message.key for message in fitted(said, TELEGRAM, COPY)] == ["a", "b"]


def test_a_long_text_goes_before_its_question() -> None:
    """On WhatsApp a body with buttons ends at 1024: the story first, then the question with its buttons."""
    story = "Kalimat yang cukup panjang untuk dibaca. " * 40
    first, last = fitted((Rendered("a", f"{story}\nSudah benar?", buttons(2)),), WHATSAPP, COPY)
    assert (first.options, last.text, last.options) == ((), "Sudah benar?", buttons(2))
    assert first.text == story.strip()


@pytest.mark.parametrize(("count", "shown"), [(3, "buttons"), (4, "list"), (10, "list")])
def test_few_options_are_buttons_and_more_are_a_list(count: int, shown: str) -> None:
    """Up to three reply buttons, up to ten rows."""
    (message,) = fitted((Rendered("a", "Yang mana?", buttons(count)),), WHATSAPP, COPY)
    assert (message.shown_as, message.options) == (shown, buttons(count))


def test_pages_of_a_long_list_hold_every_option_once() -> None:
    """Nine options a page and a way on; from the last page back to the first."""
    options = buttons(21)
    pages = [fitted((Rendered("a", "Yang mana?", options, page=page),), WHATSAPP, COPY)[0].options for page in range(3)]
    assert [option for page in pages for option in page[:-1]] == list(options)
    assert [page[-1].payload for page in pages] == ["7.more1", "7.more2", "7.more0"]
    assert all(len(page) <= 10 for page in pages)


def test_more_than_telegram_shows_is_numbered_lines() -> None:
    """Where there is no list, what can be answered stands in the text by its number."""
    (message,) = fitted((Rendered("a", "Yang mana?", buttons(17)),), TELEGRAM, COPY)
    assert message.shown_as == "text"
    assert message.text.startswith("Yang mana?\n1. Pilihan 0\n2. Pilihan 1\n")


def test_a_person_of_the_desk_is_named() -> None:
    """A platform shows no author: the words of staff begin with whose they are, and are known as they were written."""
    (message,) = fitted((Rendered("staff/reply", "Sudah kami cek.", author="Rina"),), WHATSAPP, COPY)
    assert message.text == "Rina (petugas):\nSudah kami cek."
    assert said_in(message) == (Part("staff/reply", "Sudah kami cek."),)


@pytest.mark.parametrize(
    ("title", "payload", "numbered", "shown"),
    [
        ("Daftar", "7.0", True, "1. Daftar"),
        ("Daftar", "7.0", False, "Daftar"),
        ("3 bulan", "7.1", True, "3 bulan"),
        ("Halaman berikut", "7.more1", True, "Halaman berikut"),
        ("Hapus pesannya", "del:12", True, "Hapus pesannya"),
    ],
)
def test_a_number_only_where_it_can_be_typed(title: str, payload: str, numbered: bool, shown: str) -> None:
    """The number of the option; none before a title that is a number itself, or on what is no option."""
    assert numbered_title(Button(title, payload), numbered) == shown


@given(text=WORDS, limit=st.integers(4, 50))
def test_a_cut_text_loses_no_word(text: str, limit: int) -> None:
    """Every piece fits; together they are the text."""
    found = list(pieces_of(text, limit))
    assert all(0 < length(piece) <= limit for piece in found)
    assert squeezed("".join(found)) == squeezed(text)


def test_a_text_is_cut_between_sentences() -> None:
    """Not in the middle of one, where there is a better place."""
    text = "Satu kalimat pendek. Dua kalimat pendek. Tiga kalimat pendek."
    assert list(pieces_of(text, 45)) == ["Satu kalimat pendek. Dua kalimat pendek.", "Tiga kalimat pendek."]


def test_an_emoji_counts_as_two() -> None:
    """Platforms count UTF-16 units."""
    assert length("✅ a😀") == 5
