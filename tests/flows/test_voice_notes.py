"""Voice notes: a person hears them, and the one who spoke knows who and by when. And pictures sent together."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from flows.engine import decide
from flows.model import (
    AddToTicket,
    Choice,
    Facts,
    Media,
    MyTickets,
    Need,
    OpenHandover,
    OpenTicket,
    Sender,
    TicketByCode,
    TicketFacts,
    Turn,
)
from nlu.understanding import Entity, Ranked, Understanding
from tests.flows.conftest import Chat

VOICE = Media("voice", "voice1")


def ticket(code: str, kind: str, status: str = "open") -> TicketFacts:
    """A report of this person."""
    return TicketFacts(code, kind, "", status, date(2026, 11, 23), datetime(2026, 11, 20, 3, 0, tzinfo=UTC), mine=True)


def speak(chat: Chat, words: str, intent: str, media: str = "voice1", category: str = "other") -> list[str]:
    """A voice note whose words a speech recogniser wrote down."""
    ranking = (Ranked(intent, 0.95), Ranked("faq/requirements", 0.02))
    heard = Understanding(words, intent, 0.95, ranking, (Ranked(category, 0.9), Ranked("other", 0.05)))
    turn = Turn(
        Media("voice", media, words), chat.now, Sender("p1", "c1", "telegram", chat.phone),
        tuple(f"RK-3333-{chat.session.asked_count:03d}{place}" for place in "ABCD"), chat.owner, heard,
    )  # fmt: skip
    facts: Facts = {}
    while isinstance(decided := decide(chat.flows, chat.session, turn, facts), Need):
        facts |= {query: chat.answers.get(type(query)) for query in decided.queries}
    chat.decision = decided
    chat.session = msgspec.json.decode(msgspec.json.encode(decided.session), type=type(decided.session))
    return chat.said


def opened(chat: Chat) -> OpenTicket:
    """The one report opened in the last turn."""
    (made,) = chat.did(OpenTicket)
    assert isinstance(made, OpenTicket)
    return made


def added(chat: Chat) -> AddToTicket:
    """The one line added to a report in the last turn."""
    (line,) = chat.did(AddToTicket)
    assert isinstance(line, AddToTicket)
    return line


def test_voice_note_out_of_the_blue_is_offered_to_staff(chat: Chat) -> None:
    """Nothing is opened before a yes; then the report holds the recording, its date, and a promised day."""
    assert chat.user(VOICE) == ["engine/voice_offer"]
    assert chat.did(OpenTicket) == []
    assert chat.user("boleh", "affirm") == ["engine/voice_passed_on"]
    made = opened(chat)
    assert (made.kind, made.media, made.due) == ("voice_note", ("voice1",), date(2026, 11, 24))
    assert made.text == "Pesan suara, 23 November 2026 pukul 09.00 WIB"
    assert "Selasa, 24 November 2026" in chat.text()
    assert chat.session.asked is None


def test_no_leaves_the_recording_unheard(chat: Chat) -> None:
    """A no opens nothing, by word or by button."""
    for no in ("tidak", "2"):
        chat.user(VOICE)
        assert chat.user(no, "deny") == ["engine/voice_left"]
        assert chat.did(OpenTicket) == []
        assert chat.session.asked is None


def test_several_voice_notes_before_the_yes_are_one_report(chat: Chat) -> None:
    """Who speaks three times in a row is asked about all of it, and nothing is lost."""
    chat.user(VOICE)
    chat.user(Media("voice", "voice2"))
    assert chat.user(Media("voice", "voice3")) == ["engine/voice_offer"]
    chat.user(Choice(chat.button(0)))
    assert opened(chat).media == ("voice1", "voice2", "voice3")
    assert "09.00" in opened(chat).text  # the hour of the first


def test_voice_note_in_a_form_asks_its_question_again(chat: Chat) -> None:
    """After the yes, and after a no, the very question of the form stands open again."""
    for answer in ("ya", "tidak usah"):
        chat.session = type(chat.session)()
        chat.sign_up_to("region")
        assert chat.user(VOICE) == ["engine/voice_offer"]
        assert chat.user(answer, "affirm")[-1] == "enroll/ask_region"
        assert chat.session.asked
        assert chat.session.asked.slot == "region"
        assert len(chat.did(OpenTicket)) == (answer == "ya")


def test_yes_to_the_offer_is_no_answer_to_the_form(chat: Chat) -> None:
    """A yes-or-no question of the form stands open behind the offer: the yes is for the offer."""
    chat.sign_up_to("employs")
    chat.user(VOICE)
    chat.user("ya", "affirm")
    assert "employs" not in chat.slots
    assert chat.did(OpenTicket)
    assert chat.said[-1] == "enroll/ask_employs"


def test_form_may_be_answered_past_the_offer(chat: Chat) -> None:
    """Who goes on with the form has answered it; the recording is not forwarded behind their back."""
    chat.sign_up_to("region")
    chat.user(VOICE)
    assert chat.user("kota bekasi")[-1] == "enroll/ask_occupation"
    assert chat.slots["region"] == "32.75"
    assert chat.did(OpenTicket) == []


def test_voice_note_in_a_read_back_comes_back_to_it(chat: Chat) -> None:
    """The read-back is no question of the form, and is shown again."""
    chat.sign_up_to("")
    assert chat.user(VOICE) == ["engine/voice_offer"]
    assert chat.user("ya", "affirm") == ["engine/voice_passed_on", "enroll/read_back"]


def test_open_report_takes_the_voice_note(chat: Chat) -> None:
    """With an open report nothing is asked: the recording goes there, and the person hears by when."""
    chat.answers[MyTickets] = (ticket("RK-2222-AAAA", "application"), ticket("RK-2222-BBBB", "complaint", "closed"),
                               ticket("RK-2222-CCCC", "handover", "waiting"))  # fmt: skip
    chat.sign_up_to("region")
    assert chat.user(VOICE) == ["engine/voice_to_ticket", "enroll/ask_region"]
    assert (added(chat).code, added(chat).media, added(chat).author) == ("RK-2222-CCCC", ("voice1",), "person")
    assert added(chat).text == "Pesan suara, 23 November 2026 pukul 09.04 WIB"  # eight turns of half a minute
    assert "Selasa, 24 November 2026" in chat.text()


def test_accident_is_listened_to_the_same_day(chat: Chat) -> None:
    """What is urgent is promised for today while the office is open."""
    chat.answers[MyTickets] = (ticket("RK-2222-AAAA", "report_accident"),)
    assert chat.user(VOICE) == ["engine/voice_to_ticket"]
    assert "Senin, 23 November 2026" in chat.text()


def test_report_about_tries_to_get_in_takes_no_voice_note(chat: Chat) -> None:
    """The alert about failed proofs of identity is for staff; the person is not told that it exists."""
    chat.answers[MyTickets] = (ticket("RK-2222-AAAA", "identity_alert"),)
    assert chat.user(VOICE) == ["engine/voice_offer"]


def test_voice_note_in_a_complaint_goes_with_the_complaint(chat: Chat) -> None:
    """A report being made keeps the recording until it is sent; it is no evidence, so evidence is still asked for."""
    chat.user("lapor", "file_complaint")
    assert chat.user(VOICE) == ["engine/voice_kept", "file_complaint/ask_description"]
    chat.user("petugas di cabang membentak saya", "file_complaint", category="staff_service")
    assert chat.said[-1] == "file_complaint/ask_evidence"
    chat.user(Media("photo", "photo1"))
    chat.user("lewati", "skip")
    chat.user("kirim")
    assert opened(chat).media == ("photo1", "voice1")


def test_voice_note_is_what_is_added_to_a_report(chat: Chat) -> None:
    """Asked what to add, a voice note is what is added; nothing more is asked."""
    mine = ticket("RK-2222-CCCC", "complaint")
    chat.answers |= {MyTickets: (ticket("RK-2222-DDDD", "handover"), mine), TicketByCode: mine}
    code = Entity("ticket_code", "RK-2222-CCCC", "RK-2222-CCCC", 0, 12)
    chat.user("RK-2222-CCCC", "check_ticket", entities=(code,))
    chat.user("tambah keterangan")
    assert chat.said == ["check_ticket/ask_ticket_note"]
    assert chat.user(VOICE) == ["engine/voice_to_ticket"]
    assert added(chat).code == "RK-2222-CCCC"
    assert chat.session.tasks == ()


def test_written_down_words_are_heard_as_if_typed(chat: Chat) -> None:
    """A recogniser's words answer the open question, and a bare answer is no story to keep a recording of."""
    chat.sign_up_to("region")
    assert speak(chat, "kota bekasi", "inform") == ["enroll/ask_occupation"]
    assert chat.slots["region"] == "32.75"
    assert "recordings" not in chat.slots


def test_recording_of_a_story_is_kept_with_it(chat: Chat) -> None:
    """The words open the complaint; the recording is in the ticket that it becomes."""
    said = speak(chat, "petugas di cabang membentak saya kemarin", "file_complaint", category="staff_service")
    assert said == ["file_complaint/heard", "file_complaint/ask_evidence"]
    chat.user("lewati", "skip")
    chat.user("lewati", "skip")
    chat.user("kirim")
    assert (opened(chat).media, opened(chat).text) == (("voice1",), "petugas di cabang membentak saya kemarin")


def test_recording_of_an_accident_is_in_its_ticket_at_once(chat: Chat) -> None:
    """What opens a ticket with the first words opens it with their recording."""
    speak(chat, "bapak saya jatuh dari pohon sawit", "report_accident")
    assert opened(chat).media == ("voice1",)
    speak(chat, "kejadiannya di kebun belakang rumah tadi pagi", "inform", media="voice2")
    assert added(chat).media == ("voice2",)


def test_spoken_danger_comes_first(chat: Chat) -> None:
    """A threat to life is heard in a recording too, and the recording is with the urgent ticket."""
    assert speak(chat, "saya mau bunuh diri", "inform") == ["safety/danger"]
    assert (opened(chat).kind, opened(chat).media) == ("safety", ("voice1",))


def test_unusable_voice_note_is_not_called_a_photo(chat: Chat) -> None:
    """What could not be taken is named as what it is."""
    for problem in ("too_big", "unreadable", "unsupported"):
        assert chat.user(Media("voice", "", problem=problem)) == [f"engine/voice_{problem}"]
        assert "foto" not in chat.text().lower()
        assert chat.user(Media("document", "", problem=problem)) == [f"engine/document_{problem}"]


def test_pictures_sent_together_go_together(chat: Chat) -> None:
    """All of an album is evidence, or goes where the first of it goes."""
    album = Media("photo", "one", more=("two", "three"))
    chat.user("petugas di cabang membentak saya kemarin", "file_complaint", category="staff_service")
    chat.user(album)
    assert chat.slots["evidence"] == ["one", "two", "three"]
    chat.session = type(chat.session)()
    chat.user("lapor", "file_complaint")
    chat.user(album)
    assert chat.slots["evidence"] == ["one", "two", "three"]
    chat.session = type(chat.session)()
    chat.user("bapak saya jatuh dari pohon sawit", "report_accident")
    chat.user(album)
    assert added(chat).media == ("one", "two", "three")


def test_staff_who_hold_the_talk_get_all_of_it(chat: Chat) -> None:
    """What comes while a person holds the conversation reaches their ticket, every part of it."""

    chat.answers[OpenHandover] = ticket("RK-2222-HHHH", "handover")
    chat.owner = "s1"
    assert chat.user(Media("photo", "one", more=("two",))) == []
    assert added(chat).media == ("one", "two")
    assert chat.user(VOICE) == []
    assert added(chat).media == ("voice1",)


def test_who_has_told_it_is_not_asked_to_write_it_again(chat: Chat) -> None:
    """At a later question of the complaint the voice note is kept, and only that is said."""
    chat.user("petugas di cabang membentak saya kemarin", "file_complaint", category="staff_service")
    assert chat.user(VOICE) == ["engine/voice_kept_too", "file_complaint/ask_evidence"]
    assert "evidence" not in chat.slots
