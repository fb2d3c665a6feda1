"""talk_to_staff: a ticket with its promised day. The bot goes on answering until a staff member takes the talk."""

from __future__ import annotations

from flows.flow import Flow, Outcome, View
from flows.format import day_and_date
from flows.model import AddToTicket, OpenHandover, OpenTicket, Say, TicketFacts
from flows.promises import first_word


def finish(view: View) -> Outcome:
    """One open ticket a conversation: asking again tells the same one, and staff see that it was asked again."""
    waiting = view.fact(OpenHandover())
    if isinstance(waiting, TicketFacts):
        day = day_and_date(waiting.promised) if waiting.promised else view.copy.label("label/no_date")
        again = AddToTicket(waiting.code, view.opening or view.copy.label("label/task_talk_to_staff"))
        return Outcome((again, Say("talk_to_staff/already", {"code": waiting.code, "day": day})))
    code, promise = view.fresh_code(), first_word(view)
    words = view.opening or view.copy.label("label/task_talk_to_staff")
    ticket = OpenTicket(code, "handover", words, promised=promise.until, due=promise.day)
    return Outcome((ticket, Say("talk_to_staff/opened", {"code": code, "day": promise.told})))


TALK_TO_STAFF = Flow(name="talk_to_staff", steps=(), finish=finish)
