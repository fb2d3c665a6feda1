"""Which answers have a picture, and that their words say all that the picture shows."""

from __future__ import annotations

import re
from datetime import date

import pytest

from flows.model import IdentityCheck, IdentityResult, MemberById, MemberFacts, Say
from flows.pictures import ContributionTable, MembershipCard, Picture, picture_named
from tests.flows.conftest import Chat


def pictured(chat: Chat) -> tuple[str, Picture]:
    """The one pictured message of the last turn, as words and as picture."""
    (say,) = [effect for effect in chat.decision.effects if isinstance(effect, Say) and effect.picture]
    return chat.flows.copy.render(say), picture_named(say.picture)


def prove(chat: Chat, status: str = "active", paid_until: date | None = date(2026, 11, 1)) -> None:
    """Proves to be a member and hears how they are protected."""
    chat.answers[IdentityCheck] = IdentityResult("proved", "m1")
    chat.answers[MemberById] = MemberFacts(
        "m1", "Budi Santoso", "male", status, ("JKK", "JKM"), paid_until, 0, "12345674821", "transport"
    )
    chat.user("status saya aktif ga", "check_membership")
    chat.user("3275011708909001")
    chat.user("4821")


@pytest.mark.parametrize("work", ["ojol", "jualan sayur"])
def test_words_of_the_cost_hold_every_sum_of_its_table(chat: Chat, work: str) -> None:
    """Who sees no picture reads the same sums."""
    chat.user("berapa iurannya", "calculate_contribution")
    chat.user("2 juta")
    chat.user(work)
    words, table = pictured(chat)
    assert isinstance(table, ContributionTable)
    assert table.note
    sums = set(re.findall(r"Rp[\d.]*\d", repr(table)))
    assert len(sums) >= 5
    assert sums <= set(re.findall(r"Rp[\d.]*\d", words))
    assert "November 2026" in table.title
    assert "November 2026" in words


def test_words_of_membership_hold_all_of_its_card(chat: Chat) -> None:
    """The card shows masked number, programmes and last month paid; so do the words."""
    for status, word in (("active", "sedang aktif"), ("lapsed", "tidak aktif")):
        chat.session = type(chat.session)()
        prove(chat, status)
        words, card = pictured(chat)
        assert isinstance(card, MembershipCard)
        assert card.active == (status == "active")
        assert word in words
        assert all(value in words for _, value in card.lines)
        assert all(code in words for code in ("JKK", "JKM"))
        assert "12345674821" not in repr(card)
        assert "3275011708909001" not in repr(card)


def test_member_who_never_paid_hears_it_in_words_alone(chat: Chat) -> None:
    """No card, and nothing that could be taken for one."""
    prove(chat, "registered", None)
    assert chat.said[0] == "check_membership/inactive"
    assert not [effect for effect in chat.decision.effects if isinstance(effect, Say) and effect.picture]


def test_nothing_is_pictured_before_the_proof(chat: Chat) -> None:
    """A failed proof shows no card."""
    chat.answers[IdentityCheck] = IdentityResult("failed")
    chat.user("status saya aktif ga", "check_membership")
    chat.user("3275011708909001")
    chat.user("4821")
    assert chat.said == ["identity/failed"]
    assert not [effect for effect in chat.decision.effects if isinstance(effect, Say) and effect.picture]
