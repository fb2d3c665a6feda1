"""What a question offers to a channel: a button to share one's number, and pages of a long list."""

from __future__ import annotations

from flows.model import Choice, Contact, Location, Say
from tests.flows.conftest import Chat


def last_say(chat: Chat) -> Say:
    """The question at the end of the last turn."""
    says = [effect for effect in chat.decision.effects if isinstance(effect, Say)]
    return says[-1]


def ask_category(chat: Chat) -> Say:
    """Brings a complaint to its longest list of options."""
    chat.user("lapor", "file_complaint")
    chat.user("tetangga saya itu kemarin begitu katanya", "file_complaint", category="staff_service")
    chat.user("jenis salah", "correct")
    assert chat.session.asked
    assert chat.session.asked.slot == "complaint_category"
    return last_say(chat)


def test_question_for_a_phone_offers_to_share_the_contact(chat: Chat) -> None:
    """The phone question alone wants a contact, in whatever words it is asked, and takes a shared one."""
    chat.sign_up_to("same_phone")
    assert last_say(chat).wants == ""
    assert chat.user("tidak", "deny") == ["enroll/ask_phone"]
    assert last_say(chat).wants == "contact"
    assert chat.user("12", "inform") == ["reject/phone"]
    assert last_say(chat).wants == "contact"
    assert chat.user(Location(-6.2, 106.9)) == ["engine/location_unasked_not_now", "enroll/ask_phone"]
    assert last_say(chat).wants == "contact"
    chat.user(Contact("+6281233445577", own=True))
    assert chat.slots["phone"] == "+6281233445577"
    assert last_say(chat).wants == ""


def test_human_offered_after_three_misses_wants_no_contact(chat: Chat) -> None:
    """Where a human is offered there are choices to press, and nothing to share."""
    chat.sign_up_to("same_phone")
    chat.user("tidak", "deny")
    for number in ("12", "13", "14"):
        chat.user(number, "inform")
    assert chat.said == ["engine/three_misses"]
    assert last_say(chat).wants == ""


def test_region_is_asked_in_words_where_a_place_tells_no_regency(chat: Chat) -> None:
    """We hold no map of regencies: no button for a place is offered, and a shared one is thanked for."""
    chat.sign_up_to("region")
    assert last_say(chat).wants == ""
    assert chat.user(Location(-6.2, 106.9)) == ["engine/location_not_now", "enroll/ask_region"]
    assert "region" not in chat.slots


def test_page_of_a_long_list_is_the_same_question(chat: Chat) -> None:
    """The last row of a page shows the next one; the question keeps its number, and its buttons stay good."""
    first = ask_category(chat)
    assert len(first.options) > 10
    assert chat.user(Choice(f"{first.number}.more1")) == [first.key]
    second = last_say(chat)
    assert (second.number, second.page, second.options) == (first.number, 1, first.options)
    assert not [trace for trace in chat.decision.trace if trace.what == "missed"]
    chat.user(Choice(f"{first.number}.0"))
    assert chat.slots["complaint_category"] == "contribution_not_recorded"


def test_typed_numbers_count_over_all_pages(chat: Chat) -> None:
    """A number names an option of the whole list, whatever page is shown."""
    first = ask_category(chat)
    chat.user(Choice(f"{first.number}.more1"))
    chat.user("1")
    assert chat.slots["complaint_category"] == "contribution_not_recorded"


def test_page_of_an_old_question_is_an_old_button(chat: Chat) -> None:
    """A page button of a question that is past turns no page of the open one."""
    first = ask_category(chat)
    chat.user("12")
    assert chat.slots["complaint_category"] == "extortion_or_fraud"
    assert chat.user(Choice(f"{first.number}.more1"))[0] == "engine/old_button"
    assert last_say(chat).page == 0


def test_senseless_page_asks_again(chat: Chat) -> None:
    """A payload that we never made shows the question as it was."""
    first = ask_category(chat)
    for place in ("more", "more-1", "more99999", "moreA"):
        assert chat.user(Choice(f"{first.number}.{place}")) == [first.key]
        assert last_say(chat).page == 0
