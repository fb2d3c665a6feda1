"""Pictures: what they hold, that they can be read, and that the same message always gives the same one."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import date
from hashlib import sha256

import pytest
from PIL import Image, ImageFont

from bot import pictures
from bot.pictures import picture_of
from flows.calculate_contribution import amounts
from flows.copybook import load_copy
from flows.model import MemberFacts
from flows.pictures import MembershipCard, contribution_table, membership_card, name_of, picture_named
from flows.rules.contributions import bracket_for

COPY = load_copy()
TODAY = date(2026, 11, 23)
LONGEST_NAME = "Siti Nurhaliza Kusumaningrum Wulandari Puspitasari binti Abdurrahman"
MAX_BYTES = 60_000


def table(income: int = 2_000_000, sector: str = "transport") -> str:
    """The table of a message about this income."""
    two, three = amounts(bracket_for(income), sector, TODAY)
    return name_of(contribution_table(COPY, income=income, month=TODAY, two=two, three=three))


def card(
    name: str = "Budi Santoso", status: str = "active", programmes: tuple[str, ...] = ("JKK", "JKM", "JHT")
) -> str:
    """The card of a member."""
    paid_until = date(2026, 11, 1)
    facts = MemberFacts("m1", name, "male", status, programmes, paid_until, 0, "12345674821", "transport")
    made = membership_card(COPY, facts, today=TODAY)
    assert made
    return name_of(made)


def opened(data: bytes) -> Image.Image:
    """The picture as whoever receives it decodes it."""
    picture = Image.open(io.BytesIO(data), formats=("PNG",))
    picture.load()
    return picture.convert("RGB")


def colours(data: bytes) -> set[tuple[int, ...]]:
    """All colours in the picture."""
    found = opened(data).getcolors(1 << 20)
    assert found
    return {colour for _, colour in found if isinstance(colour, tuple)}


@pytest.mark.parametrize(
    "text",
    [table(), table(100_000_000, "other"), card(), card(LONGEST_NAME, "lapsed"), card("Ai", programmes=("JKK",))],
)
def test_picture_is_light_and_wide_enough(text: str) -> None:
    """A PNG as wide as a phone's screen is sharp, of less than 60 kB, with nothing cut off below."""
    data = picture_of(text)
    picture = opened(data)
    assert len(data) < MAX_BYTES
    assert picture.width == pictures.WIDTH
    assert picture.height < pictures._TALLEST
    last_rows = picture.crop((0, picture.height - 12, picture.width, picture.height))
    ((_, paper),) = last_rows.getcolors() or []
    assert isinstance(paper, tuple)
    assert min(paper) > 250


def test_same_message_gives_the_same_bytes_in_every_process() -> None:
    """A reply that is sent twice shows the same picture."""
    here = sha256(picture_of(table())).hexdigest()
    script = "import sys, hashlib; from bot.pictures import picture_of; " \
             "print(hashlib.sha256(picture_of(sys.argv[1])).hexdigest())"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script, table()], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here
    assert sha256(picture_of(table(3_000_000))).hexdigest() != here


def test_whole_numbers_of_a_card_are_never_in_it() -> None:
    """What is stored and drawn has the masked number alone, and no identity number at all."""
    assert "12345674821" not in card()
    assert "•••••••4821" in card()
    made = picture_named(card())
    assert isinstance(made, MembershipCard)
    assert not [value for _, value in made.lines if sum(map(str.isdigit, value)) > 4]


def test_only_an_active_member_has_ticks_and_green() -> None:
    """Green and ticks are for those who are protected now; the head says in words what the colour says."""
    green, red = (7, 94, 59), (143, 29, 20)
    active, lapsed = colours(picture_of(card())), colours(picture_of(card(status="lapsed")))

    def near(found: set[tuple[int, ...]], wanted: tuple[int, ...]) -> bool:
        return any(all(abs(a - b) < 16 for a, b in zip(colour, wanted, strict=True)) for colour in found)

    assert near(active, green)
    assert not near(active, red)
    assert near(lapsed, red)
    assert not near(lapsed, green)
    assert '"Perlindungan tidak aktif"' in card(status="lapsed")


def test_member_who_never_paid_has_no_card() -> None:
    """Signed up or registered is not protected: there is no card to show."""
    facts = MemberFacts("m1", "Budi", "male", "registered", ("JKK", "JKM"), None, 0, "12345674821", "other")
    assert membership_card(COPY, facts, today=TODAY) is None


def test_every_sign_that_is_drawn_is_in_the_font() -> None:
    """No box of a missing sign: names with marks lose them, bullets are drawn as shapes."""
    font = ImageFont.load_default(60)
    missing = bytes(font.getmask("✓"))
    words = pictures._drawable("José Ça Łódź “Siti” – O’Neil … · " + table() + card(LONGEST_NAME)).replace("•", "")
    assert "Jose Ca" in words
    assert not [sign for sign in set(words) if bytes(font.getmask(sign)) == missing]


def test_letters_of_another_alphabet_do_not_stop_a_reply() -> None:
    """A name that the font cannot write leaves the rest of the card."""
    assert opened(picture_of(card("王 Ahmad"))).width == pictures.WIDTH
    assert opened(picture_of(card("王"))).width == pictures.WIDTH


def test_word_too_long_for_a_line_is_broken() -> None:
    """Nothing runs over the edge."""
    for line in pictures._lines("W" * 90, 64, pictures._INNER, bold=True):
        assert pictures._width(line, 64, bold=True) <= pictures._INNER


@pytest.mark.parametrize(
    "text", ["", "contribution_table", "{}", '{"picture":"other"}', '{"picture":"membership_card"}']
)
def test_unknown_picture_is_a_value_error(text: str) -> None:
    """Who sends can tell a name that cannot be drawn, and sends the words alone."""
    with pytest.raises(ValueError, match="names no picture"):
        picture_of(text)
