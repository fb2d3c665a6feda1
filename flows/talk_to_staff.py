"""talk_to_staff: a ticket with its promised day. The bot goes on answering until a staff member takes the talk."""

from __future__ import annotations

from datetime import date

from flows.broken_promises import is_broken
from flows.flow import Flow, Outcome, View
from flows.format import day_and_date
from flows.model import AddToTicket, OpenHandover, OpenTicket, Say, TicketFacts
from flows.promises import first_word


def finish(view: View) -> Outcome:
    """One open ticket a conversation: asking again tells the same one, and staff see that it was asked again."""
    waiting = view.fact(OpenHandover())
    words = "\n".join(part for part in (view.opening, view.text("story")) if part)
    words = words or view.copy.label("label/task_talk_to_staff")
    if isinstance(waiting, TicketFacts):
        again = AddToTicket(waiting.code, words)
        if is_broken(waiting, view.today):
            return Outcome((again, Say("talk_to_staff/already_late", {"code": waiting.code})))
        if not _is_ahead(waiting, view.today):
            return Outcome((again, Say("talk_to_staff/already_undated", {"code": waiting.code})))
        day = day_and_date(waiting.promised) if waiting.promised else view.copy.label("label/no_date")
        return Outcome((again, Say("talk_to_staff/already", {"code": waiting.code, "day": day})))
    code, promise = view.fresh_code(), first_word(view)
    ticket = OpenTicket(code, "handover", words, promised=promise.until, due=promise.day)
    return Outcome((ticket, Say("talk_to_staff/opened", {"code": code, "day": promise.told})))


def _is_ahead(waiting: TicketFacts, today: date) -> bool:
    return waiting.promised is None or waiting.promised >= today


TALK_TO_STAFF = Flow(name="talk_to_staff", steps=(), finish=finish)
