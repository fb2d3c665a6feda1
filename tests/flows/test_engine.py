"""The conversation engine: who gets a word, and that nobody is ever stuck."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from flows.model import (
    AddToTicket,
    Apply,
    ChangeOwner,
    Choice,
    Command,
    Contact,
    Content,
    DeleteMessage,
    Edited,
    FormAnswer,
    IdentityCheck,
    IdentityResult,
    Location,
    Media,
    MemberById,
    MemberFacts,
    MyTickets,
    OpenHandover,
    OpenTicket,
    RecordConsent,
    RecordIdentityTry,
    SenderIsMember,
    SetTicketStatus,
    SetTimer,
    StaffAction,
    Sticker,
    TicketByCode,
    TicketFacts,
    TimerDue,
    Unknown,
    WrongCodes,
)
from flows.private import deletion_of
from nlu.understanding import Entity, Part
from tests.flows.conftest import Chat


def test_sign_up_files_one_application_and_promises_no_cover(chat: Chat) -> None:
    """A whole sign-up ends in one application, and says plainly that it insures nobody yet."""
    chat.sign_up_to("")
    assert chat.user("kirim", "affirm") == ["enroll/submitted", "enroll/not_covered_yet"]
    (application,) = chat.did(Apply)
    assert isinstance(application, Apply)
    assert (application.nik, application.name, application.region) == ("3275011708909001", "Budi Santoso", "32.75")
    assert (application.income, application.months, application.sector) == (2_000_000, 3, "transport")
    assert application.programmes == ("JKK", "JKM", "JHT")
    assert application.monthly_amount == 53_400
    assert "belum terlindungi" in chat.text()
    assert chat.session.tasks == ()


def test_consent_is_recorded_when_it_is_given(chat: Chat) -> None:
    """Consent stands in the records before the first number is asked, whatever becomes of the form."""
    chat.user("mau daftar", "enroll")
    chat.user("ya", "affirm")
    (consent,) = chat.did(RecordConsent)
    assert isinstance(consent, RecordConsent)
    assert consent.given
    assert consent.version


def test_refused_consent_ends_kindly_and_keeps_nothing(chat: Chat) -> None:
    """Saying no to storing data leaves questions and answers open."""
    chat.user("mau daftar", "enroll")
    assert chat.user("tidak", "deny") == ["enroll/consent_refused"]
    assert chat.session.tasks == ()


def test_one_sentence_fills_several_questions(chat: Chat) -> None:
    """What the opening message tells is noted and never asked again."""
    entities = (
        Entity("occupation", "ojek", "tukang ojek", 0, 11),
        Entity("region", "32.75", "Kota Bekasi", 15, 26),
        Entity("money", 3_000_000, "3jt", 38, 41),
    )
    said = chat.user("tukang ojek di Kota Bekasi penghasilan 3jt mau daftar", "enroll", entities=entities)
    assert said == ["enroll/intro", "engine/noted", "enroll/ask_consent"]
    assert (chat.slots["occupation"], chat.slots["region"], chat.slots["money"]) == ("ojek", "32.75", 3_000_000)


def test_correction_in_mid_form_changes_the_earlier_answer(chat: Chat) -> None:
    """`eh salah, nama saya …` mends the name and goes on with the same question."""
    chat.sign_up_to("occupation")
    said = chat.user("eh salah, nama saya Budi Santosa", "correct")
    assert said == ["engine/corrected", "enroll/ask_occupation"]
    assert chat.slots["person_name"] == "Budi Santosa"


def test_back_asks_the_question_before(chat: Chat) -> None:
    """`kembali` forgets the last answer and asks for it again."""
    chat.sign_up_to("region")
    assert chat.user("kembali", "go_back") == ["enroll/ask_person_name"]
    assert "person_name" not in chat.slots


def test_question_in_between_comes_back_to_the_very_same_question(chat: Chat) -> None:
    """A faq in mid-form is answered, then the open question stands again with its buttons good."""
    chat.sign_up_to("programme")
    number = chat.session.asked.number if chat.session.asked else 0
    assert chat.user("kalau telat bayar gimana?", "faq/late_payment") == ["faq/late_payment", "enroll/ask_programme"]
    assert chat.session.asked
    assert chat.session.asked.number == number


def test_three_misses_change_the_words_and_then_offer_staff(chat: Chat) -> None:
    """The reason first, then an example, then a human; no sentence twice."""
    chat.sign_up_to("nik")
    first, second, third = chat.user("12345678"), chat.user("123456789"), chat.user("1234567890")
    assert first == ["reject/nik/too_short"]
    assert second == ["enroll/ask_nik/2"]
    assert third == ["engine/three_misses"]
    assert chat.user("3275011708909001") == ["enroll/ask_nik_right"]


def test_cancel_asks_when_much_is_filled(chat: Chat) -> None:
    """`batal` with much filled asks once; `lanjut` goes on where one was."""
    chat.sign_up_to("occupation")
    assert chat.user("batal", "cancel") == ["engine/confirm_cancel"]
    assert chat.user("tidak", "deny") == ["enroll/ask_occupation"]
    chat.user("batal", "cancel")
    assert chat.user("ya", "affirm") == ["engine/cancelled"]
    assert chat.session.tasks == ()


def test_cancel_of_little_does_not_ask(chat: Chat) -> None:
    """`batal` at the first question just drops the task."""
    chat.user("mau daftar", "enroll")
    assert chat.user("gak jadi deh", "cancel") == ["engine/cancelled"]


def test_old_button_changes_nothing(chat: Chat) -> None:
    """A button of an earlier question is named as old, and the open question is asked again."""
    chat.user("mau daftar", "enroll")
    old = chat.button(1)
    chat.user("ya", "affirm")
    before = chat.slots
    assert chat.user(Choice(old)) == ["engine/old_button", "enroll/ask_for_whom"]
    assert chat.slots == before


@pytest.mark.parametrize("payload", ["", "x", "1", "1.", "1.99", "-1.0", "999999.0", "1.1.1", "١.٠"])
def test_forged_buttons_do_no_harm(chat: Chat, payload: str) -> None:
    """Whatever a button claims, the conversation stays where it was."""
    chat.user("mau daftar", "enroll")
    before = chat.slots
    chat.user(Choice(payload))
    assert chat.slots == before
    assert chat.session.asked
    assert chat.session.asked.slot == "consent"


def test_task_switch_returns(chat: Chat) -> None:
    """Another task in mid-form is done first; then the form goes on, and knows what was told there."""
    chat.sign_up_to("money")
    assert chat.user("hitung iuran dong", "calculate_contribution")[-1] == "calculate_contribution/ask_money"
    said = chat.user("2 juta")
    assert "calculate_contribution/cost_discounted" in said
    assert said[-2:] == ["engine/back_to", "enroll/ask_money"]


def test_two_requests_are_done_one_after_the_other(chat: Chat) -> None:
    """Two requests in one message: the first is begun, the second follows it."""
    parts = (Part("itung iuran", "calculate_contribution", 0.9), Part("syaratnya apa", "faq/requirements", 0.9))
    said = chat.user("itung iuran dan syaratnya apa", "calculate_contribution", parts=parts)
    assert said == ["engine/one_by_one", "calculate_contribution/ask_money"]
    chat.user("2 juta")
    assert chat.user("ojol")[-1] == "faq/requirements"


def test_coming_back_after_days_reminds(chat: Chat) -> None:
    """After three days the person hears where they were and is asked the same question."""
    chat.sign_up_to("region")
    chat.now += timedelta(days=3)
    assert chat.user("halo", "greet") == ["engine/welcome_back", "engine/greet_short", "enroll/ask_region"]


def test_coming_back_after_too_long_starts_afresh(chat: Chat) -> None:
    """Answers older than the limit are forgotten, and the person is told why."""
    chat.sign_up_to("region")
    chat.now += timedelta(days=40)
    assert chat.user("halo", "greet") == ["engine/expired", "engine/greet"]
    assert chat.session.tasks == ()


def test_unsure_reading_is_asked_back(chat: Chat) -> None:
    """Between two likely meanings the person chooses, and the chosen task begins with what was said."""
    entities = (Entity("money", 2_000_000, "2jt", 0, 3),)
    assert chat.user("2jt iuran apa daftar", "calculate_contribution", 0.45, entities=entities) == ["engine/clarify"]
    assert chat.user("1")[0] == "engine/noted"
    assert chat.slots["money"] == 2_000_000


def test_neither_reading_opens_the_menu_and_other_words_are_heard(chat: Chat) -> None:
    """Who meant neither of two readings gets the menu; who says it in other words is understood anew."""
    assert chat.user("iuran apa gitu", "calculate_contribution", 0.45) == ["engine/clarify"]
    assert chat.session.asked
    assert chat.user(chat.session.asked.options[-1].title) == ["engine/menu"]
    chat.user("iuran apa gitu deh", "calculate_contribution", 0.45)
    assert chat.user("maksudnya pengen jadi peserta", "enroll")[0] == "enroll/intro"


def test_a_code_with_words_opens_its_report(chat: Chat) -> None:
    """A code of ours says what is asked about, whatever else the words could mean."""
    mine = TicketFacts("RK-7K3Q-9XTM", "complaint", "claim_delayed", "open", None, chat.now, mine=True)
    chat.answers[TicketByCode] = mine
    chat.answers[WrongCodes] = 0
    code = (Entity("ticket_code", "RK-7K3Q-9XTM", "RK-7K3Q-9XTM", 0, 12),)
    said = chat.user("RK-7K3Q-9XTM gimana kabarnya", "check_pledge", 1.0, entities=code)
    assert said[0].startswith("check_ticket/state")
    chat.sign_up_to("region")
    assert chat.user("RK-7K3Q-9XTM dong", "check_pledge", entities=code)[0].startswith("check_ticket/state")


def test_closing_a_report_is_asked_once_more(chat: Chat) -> None:
    """An angry "tutup aja" closes nothing by itself."""
    chat.answers[TicketByCode] = TicketFacts("RK-7K3Q-9XTM", "complaint", "other", "open", None, chat.now, mine=True)
    chat.answers[WrongCodes] = 0
    chat.user("RK-7K3Q-9XTM", entities=(Entity("ticket_code", "RK-7K3Q-9XTM", "RK-7K3Q-9XTM", 0, 12),))
    assert chat.user("tutup aja semuanya", "abuse") == ["check_ticket/ask_close_sure"]
    assert chat.did(SetTicketStatus) == []
    assert chat.user("tidak", "deny") == ["check_ticket/done"]


def test_what_was_sent_is_taken_back_by_staff(chat: Chat) -> None:
    """`batal` after sending does not pretend that nothing was sent."""
    sent = TicketFacts("RK-7K3Q-9XTM", "application", "", "submitted", None, chat.now, mine=True)
    chat.answers[MyTickets] = (sent,)
    assert chat.user("batalin dulu deh, gajadi", "cancel") == ["engine/already_sent"]
    chat.answers[TicketByCode] = sent
    assert chat.user("ya", "affirm") == ["check_ticket/withdrawing"]
    (ticket,) = chat.did(OpenTicket)
    assert isinstance(ticket, OpenTicket)
    assert (ticket.kind, ticket.text) == ("withdraw_application", sent.code)


def test_a_report_that_was_sent_is_closed_by_who_sent_it(chat: Chat) -> None:
    """Nobody is told that staff alone may take back what the person may close."""
    sent = TicketFacts("RK-7K3Q-9XTM", "complaint", "staff_conduct", "open", None, chat.now, mine=True)
    chat.answers |= {MyTickets: (sent,), TicketByCode: sent}
    assert chat.user("batalin dulu deh, gajadi", "cancel") == ["check_ticket/ask_close_sure"]
    assert chat.user("ya", "affirm") == ["check_ticket/closed"]


@pytest.mark.parametrize("words", ["kirim", "sudah benar", "benar"])
def test_only_a_clear_choice_calls_a_human(chat: Chat, words: str) -> None:
    """What agrees to something else, beside an offer of a human, calls nobody."""
    chat.sign_up_to("nik")
    for _ in range(3):
        chat.user("327501170890")
    assert chat.session.asked
    assert chat.session.asked.key == "engine/three_misses"
    assert "talk_to_staff/opened" not in chat.user(words, "affirm")
    assert not chat.did(OpenTicket)


def test_task_without_an_answer_is_offered_not_pushed(chat: Chat) -> None:
    """A task left before its first answer does not take over what comes next."""
    chat.user("cek saldo", "check_balance")
    assert chat.user("petugas", "talk_to_staff") == ["talk_to_staff/opened", "engine/offer_resume"]
    assert chat.user("tidak usah", "deny") == ["engine/dropped_quietly"]
    assert chat.session.tasks == ()


def test_form_of_address_is_never_a_name(chat: Chat) -> None:
    """`Wati Kurniasih yg bener namanya bu` corrects the name to what stands before it."""
    chat.sign_up_to("region")
    said = chat.user("Wati Kurniasih yg bener namanya bu", "correct")
    assert said == ["engine/corrected", "enroll/ask_region"]
    assert chat.slots["person_name"] == "Wati Kurniasih"


def test_words_that_ask_are_no_denial(chat: Chat) -> None:
    """`masih nyambung ga` does not throw away the number that was just given."""
    chat.sign_up_to("nik_right")
    chat.user("halo masih nyambung ga", "greet", 0.5)
    assert chat.slots["nik"] == "3275011708909001"


def test_not_understood_offers_readings_then_menu_then_a_human(chat: Chat) -> None:
    """Never a bare apology: the likeliest readings, the menu, a human."""
    assert chat.user("asdf qwer", "out_of_scope", 0.2) == ["engine/clarify"]
    assert chat.user("zxcv", "out_of_scope", 0.05) == ["engine/unclear_menu"]
    assert chat.user("hjkl", "out_of_scope", 0.05)[-1] in {"engine/unclear_menu", "engine/offer_staff"}
    assert chat.user("bnm", "out_of_scope", 0.05)[-1] == "engine/offer_staff"


def test_danger_comes_before_everything(chat: Chat) -> None:
    """Words of self-harm in mid-form: kind words and an urgent ticket; nothing else is asked."""
    chat.sign_up_to("occupation")
    assert chat.user("saya capek hidup kak, pengen mati aja", "abuse") == ["safety/danger"]
    (ticket,) = chat.did(OpenTicket)
    assert isinstance(ticket, OpenTicket)
    assert (ticket.kind, ticket.priority) == ("safety", "urgent")


def test_conversation_held_by_staff_is_silent(chat: Chat) -> None:
    """While a person holds the talk the bot says nothing; what is said reaches the ticket."""
    ticket = TicketFacts("RK-2222-AAAA", "handover", "", "open", None, chat.now, mine=True)
    chat.answers[OpenHandover] = ticket
    chat.owner = "staff1"
    assert chat.user("saldo saya berapa", "check_balance") == []
    (note,) = chat.did(AddToTicket)
    assert isinstance(note, AddToTicket)
    assert (note.code, note.text) == ("RK-2222-AAAA", "saldo saya berapa")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (Edited("maksudnya bulan Oktober"), "Pesan diubah jadi: maksudnya bulan Oktober"),
        (Contact("+6281200000009", own=False), "Kontak yang dikirim: +6281200000009"),
        (Location(-6.2, 106.81667), "Lokasi yang dikirim: -6.20000, 106.81667"),
        (Media("photo", "", "struknya", problem="unreadable"), "Kiriman yang tidak bisa dibuka. struknya"),
        (Unknown("poll"), "Kiriman yang tidak bisa dibuka."),
        (Sticker("👍"), "👍"),
        (FormAnswer("nik", "3275011708909001"), "3275011708909001"),
        (Command("petugas"), "/petugas"),
    ],
)
def test_whatever_is_sent_while_staff_hold_the_talk_reaches_them(chat: Chat, content: Content, told: str) -> None:
    """Nothing that a person sends is lost for being no plain words."""
    chat.answers[OpenHandover] = TicketFacts("RK-2222-AAAA", "handover", "", "open", None, chat.now, mine=True)
    chat.owner = "staff1"
    assert chat.user(content) == []
    (note,) = chat.did(AddToTicket)
    assert isinstance(note, AddToTicket)
    assert note.text == told


STORY = "iuran saya bulan lalu sudah dibayar tapi belum masuk"


def test_changing_the_message_that_answered_mends_the_answer(chat: Chat) -> None:
    """The newest answer follows its own message, as often as that is changed."""
    chat.user("saya mau mengadu", "file_complaint")
    chat.user(STORY, "file_complaint", category="contribution_not_recorded", ref="7")
    for words in (f"{STORY}, lewat DANA", f"{STORY}, lewat OVO"):
        chat.user(Edited(words, ref="7"))
        assert chat.slots["description"] == words


@pytest.mark.parametrize("ref", ["8", ""])
def test_changing_another_message_leaves_the_story_alone(chat: Chat, ref: str) -> None:
    """A thank-you that was changed must not take the place of what was told."""
    chat.user("saya mau mengadu", "file_complaint")
    chat.user(STORY, "file_complaint", category="contribution_not_recorded", ref="7")
    chat.user("makasih ya min", "thank", ref="8")
    assert "engine/edited" in chat.user(Edited("makasih banyak ya min sudah dibantu", ref=ref))
    assert chat.slots["description"] == STORY


def test_danger_is_heard_in_a_changed_message(chat: Chat) -> None:
    """What was typed over a message is read like any words."""
    assert chat.user(Edited("saya capek hidup kak, pengen mati aja")) == ["safety/danger"]


def test_a_message_is_deleted_for_two_days_also_while_staff_hold_the_talk(chat: Chat) -> None:
    """The button offers it; later Telegram would refuse, and nothing is promised. Staff need not do it."""
    button = Choice(deletion_of("815", chat.now), "Hapus pesannya")
    assert chat.user(button) == ["engine/deleted"]
    assert chat.did(DeleteMessage) == [DeleteMessage("815")]
    chat.owner = "staff1"
    assert chat.user(button) == []
    assert chat.did(DeleteMessage) == [DeleteMessage("815")]
    chat.owner = "bot"
    chat.now += timedelta(hours=47)
    assert "engine/too_late_to_delete" in chat.user(button)
    assert chat.did(DeleteMessage) == []


@pytest.mark.parametrize("payload", ["del:", "del:abc", "del:815", "del:815@", "del:8 1@5", "del:1@999999999999"])
def test_a_deletion_that_we_never_offered_is_an_old_button(chat: Chat, payload: str) -> None:
    """Anybody's software may press what it likes; nothing of it is sent to the platform."""
    assert "engine/old_button" in chat.user(Choice(payload, ""))
    assert chat.did(DeleteMessage) == []


def test_staff_take_sets_the_clock_and_silence_gives_back(chat: Chat) -> None:
    """Taking a talk changes its owner and starts working minutes; when they pass, the bot is back and says so."""
    take = StaffAction("take", "RK-2222-AAAA", "staff1", "Rina")
    assert chat.user(take) == ["staff/took"]
    (owner,) = chat.did(ChangeOwner)
    assert isinstance(owner, ChangeOwner)
    assert owner.owner == "staff1"
    (timer,) = chat.did(SetTimer)
    assert isinstance(timer, SetTimer)
    chat.owner = "staff1"
    assert chat.user(TimerDue(timer.kind)) == ["staff/silent"]
    (back,) = chat.did(ChangeOwner)
    assert isinstance(back, ChangeOwner)
    assert back.owner == "bot"


def test_handover_is_opened_once(chat: Chat) -> None:
    """Asking for staff twice tells the same ticket."""
    assert chat.user("petugas", "talk_to_staff") == ["talk_to_staff/opened"]
    assert len(chat.did(OpenTicket)) == 1
    chat.answers[OpenHandover] = TicketFacts("RK-2222-AAAA", "handover", "", "open", None, chat.now, mine=True)
    assert chat.user("mana petugasnya", "talk_to_staff") == ["talk_to_staff/already"]
    assert chat.did(OpenTicket) == []
    assert len(chat.did(AddToTicket)) == 1, "staff see that they were called again"


def test_wage_earner_is_led_to_report_the_company(chat: Chat) -> None:
    """Somebody on a company's wage is not signed up but helped to report it."""
    chat.sign_up_to("livelihood")
    assert chat.user("digaji perusahaan")[:2] == ["enroll/wage_earner", "file_complaint/ask_description"]
    assert chat.slots["complaint_category"] == "company_not_registering"


@pytest.mark.parametrize(
    ("nik", "key"), [("3275011708609001", "enroll/too_old"), ("3275011708159001", "enroll/under_age")]
)
def test_age_decides_who_may_sign_up(chat: Chat, nik: str, key: str) -> None:
    """65 and over is refused kindly, under 18 goes to staff; one wrong digit does neither."""
    chat.sign_up_to("nik")
    assert chat.user(nik) == ["enroll/age_doubted", "enroll/ask_nik"]
    assert chat.user(nik) == [key]
    assert len(chat.did(OpenTicket)) == (1 if key == "enroll/under_age" else 0)


def test_last_day_before_65_may_sign_up(chat: Chat) -> None:
    """Until the 65th birthday, not a day longer: born 24 November 1961, today is the 23rd of 2026."""
    chat.sign_up_to("nik")
    assert chat.user("3275012411619001") == ["enroll/ask_nik_right"]


def test_day_income_asks_for_days(chat: Chat) -> None:
    """`75 ribu per hari` is asked back and multiplied by the days worked."""
    chat.sign_up_to("money")
    assert chat.user("75 ribu per hari") == ["income/ask_work_days"]
    chat.user("20")
    assert chat.slots["money"] == 1_500_000


def test_slang_money_is_confirmed(chat: Chat) -> None:
    """`gocap` is fifty: the person is asked whether fifty thousand was meant."""
    chat.sign_up_to("money")
    assert chat.user("gocap") == ["income/ask_meant"]
    assert "Rp50.000" in chat.text()


def test_read_back_line_is_corrected_by_its_number(chat: Chat) -> None:
    """A number at the read-back asks that answer again, and the read-back returns."""
    chat.sign_up_to("")
    lines = chat.text().splitlines()
    name_line = next(line for line in lines if "Nama:" in line)
    assert chat.user(name_line.split(".")[0]) == ["enroll/ask_person_name"]
    assert chat.user("Budi Santosa") == ["enroll/read_back"]
    assert "Budi Santosa" in chat.text()


def test_identity_failures_sound_alike(chat: Chat) -> None:
    """Wrong, unknown and locked are told in the same words, and each try is recorded."""
    told = set()
    for outcome in ("failed", "locked"):
        chat.answers[IdentityCheck] = IdentityResult(outcome)  # type: ignore[arg-type]
        chat.user("cek saldo", "check_balance")
        chat.user("3275011708909001")
        chat.user("4821")
        assert len(chat.did(RecordIdentityTry)) == 1
        told.add(chat.text())
    assert len(told) == 1


def test_balance_is_told_only_after_proof(chat: Chat) -> None:
    """Phone, NIK and one more fact; then the balance, and for a while without asking again."""
    chat.answers[IdentityCheck] = IdentityResult("proved", "m1")
    member = MemberFacts(
        "m1",
        "Budi Santoso",
        "male",
        "active",
        ("JKK", "JKM", "JHT"),
        date(2026, 11, 1),
        1_250_000,
        "12345674821",
        "transport",
    )
    chat.answers[MemberById] = member
    assert chat.user("saldo berapa", "check_balance") == ["identity/ask_nik"]
    chat.user("3275011708909001")
    assert chat.user("4821") == ["check_balance/balance"]
    assert "Rp1.250.000" in chat.text()
    assert chat.user("saldo lagi", "check_balance") == ["check_balance/balance"]
    chat.now += timedelta(minutes=16)
    assert chat.user("saldo lagi", "check_balance") == ["identity/ask_nik"]


def test_no_possession_tells_nothing(chat: Chat) -> None:
    """Where nobody vouches for a phone, not even the NIK is asked."""
    chat.phone = None
    assert chat.user("saldo berapa", "check_balance") == ["identity/no_possession"]
    assert chat.asked_facts == []


def test_tenth_failure_alerts_staff_once(chat: Chat) -> None:
    """The tenth failed try on a number opens one urgent ticket, and the words stay the same."""
    chat.answers[IdentityCheck] = IdentityResult("failed", failures=9)
    chat.user("saldo", "check_balance")
    chat.user("3275011708909001")
    assert chat.user("4821") == ["identity/failed"]
    assert [ticket.kind for ticket in chat.did(OpenTicket) if isinstance(ticket, OpenTicket)] == ["identity_alert"]


def test_complaint_of_a_known_phone_needs_one_answer(chat: Chat) -> None:
    """Told trouble, sure category, phone on record: evidence, read-back, sent."""
    chat.answers[SenderIsMember] = True
    said = chat.user("sudah bayar kok iuran belum masuk", "file_complaint", category="contribution_not_recorded")
    assert said == ["file_complaint/heard", "file_complaint/ask_evidence"]
    assert chat.user(Media("photo", "media1")) == ["file_complaint/read_back"]
    assert chat.user("kirim")[0] == "file_complaint/filed"
    (ticket,) = chat.did(OpenTicket)
    assert isinstance(ticket, OpenTicket)
    assert (ticket.category, ticket.media, ticket.due) == ("contribution_not_recorded", ("media1",), date(2026, 11, 30))


def test_accident_opens_its_ticket_with_the_first_words(chat: Chat) -> None:
    """Who reports an accident may not come back: the ticket is there before the first question is answered."""
    said = chat.user("bapak saya jatuh dari pohon sawit", "report_accident")
    assert said == ["report_accident/intro", "report_accident/ask_safe"]
    (ticket,) = chat.did(OpenTicket)
    assert isinstance(ticket, OpenTicket)
    assert ticket.priority == "urgent"
    chat.user("1")
    assert chat.user("di kebun tadi pagi jam 7") == ["report_accident/filed"]
    assert len(chat.did(AddToTicket)) == 1
    assert chat.did(OpenTicket) == []


def test_stranger_things_get_a_plain_sentence_and_the_question_again(chat: Chat) -> None:
    """A sticker in mid-form is thanked, and the same question is asked."""
    chat.sign_up_to("region")
    assert chat.user(Sticker()) == ["engine/sticker_not_now", "enroll/ask_region"]
    assert chat.user(Media("photo", "", problem="too_big")) == ["engine/media_too_big", "enroll/ask_region"]


def test_form_answer_counts_only_for_the_open_question(chat: Chat) -> None:
    """The one-field page fills the question it was made for, and an old one changes nothing."""
    chat.sign_up_to("nik")
    assert chat.user(FormAnswer("nik", "3275011708909001")) == ["enroll/ask_nik_right"]
    assert chat.user(FormAnswer("nik", "3275011708909002"))[0] == "engine/old_form"
    assert chat.slots["nik"] == "3275011708909001"


def test_every_task_can_be_begun_from_nothing(chat: Chat) -> None:
    """Every task answers its intent with copy that renders, from a bare word and from a whole sentence."""
    for name in chat.flows.by_name:
        for words in ("tolong", "saya mau minta tolong soal ini karena bingung sekali caranya"):
            fresh = Chat(chat.flows)
            assert fresh.user(words, name)
            assert fresh.text()


def test_every_topic_is_answered(chat: Chat) -> None:
    """Every faq topic has an answer that renders."""
    topics = [key for key in chat.flows.copy.texts if key.startswith("faq/") and key.count("/") == 1]
    assert len(topics) == 36
    for topic in topics:
        fresh = Chat(chat.flows)
        assert fresh.user("apa", topic, 0.99) == [topic] or fresh.user("tanya", topic, 0.99) == [topic]
