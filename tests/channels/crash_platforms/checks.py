"""What must be true when a platform storm is over: in the database, on the platform, and between the two."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, select
from storm.checks import Verdict, handled_once, rows_of, sound_file, unbroken

from crash_platforms.judging import judge_platform
from crash_platforms.people import Journey, shown_in
from crash_platforms.platform import Heard
from crash_platforms.storm import DOUBT_S, PlatformStorm
from storage import deliveries, media, outbox
from storage.database import open_database
from storage.tables import application_receipts, applications, codes, forms, inbox, tickets
from storage.tables import media as media_table
from storage.tables import outbox as outbox_table

UNDER_WAY_S = 1.0
"""Seconds of ours that a request may be under way: what is learnt meanwhile cannot stop it any more."""


@dataclass(slots=True)
class Talk:
    """One conversation: its replies in order, and for each of them its copies among what the person got."""

    journey: Journey
    conversation: str
    replies: list[outbox.Outgoing] = field(default_factory=list)
    copies: dict[int, list[int]] = field(default_factory=dict)


async def judge(storm: PlatformStorm) -> Verdict:
    """Reads the database that the storm has left and the fake's own records."""
    verdict = Verdict()
    verdict.demand(storm.quiet, "something was still under way long after the last kill")
    database = open_database(storm.ground.database_url, create=False)
    try:
        await database.read(lambda conn: _judge(conn, storm, verdict))
        if database.dialect == "sqlite":
            await database.read(lambda conn: sound_file(conn, verdict))
    finally:
        await database.close()
    unbroken(storm.ground, verdict)
    judge_platform(storm, verdict)
    verdict.figures["kills"] = sum(stretch.kills for stretch in storm.stretches)
    verdict.figures["seconds"] = round(storm.took_s)
    return verdict


def _judge(conn: Connection, storm: PlatformStorm, verdict: Verdict) -> None:
    rows = rows_of(conn, select(inbox))
    replies = rows_of(conn, select(outbox_table).order_by(outbox_table.c.id))
    of_message = defaultdict(list)
    for reply in replies:
        of_message[reply.inbox_id].append(reply)
    talks = _talks(conn, storm, rows, verdict)
    _inbox(conn, storm, rows, of_message, verdict)
    _outbox(replies, of_message, verdict)
    handled_once(conn, storm.ground.keys, rows, of_message, verdict)
    _records(conn, storm, talks, verdict)
    _deliveries(storm, talks, replies, verdict)
    figures = verdict.figures
    figures["people"] = len(storm.journeys)
    figures["messages sent by people"] = sum(len(journey.sent) for journey in storm.journeys)
    figures["inbox rows"] = len(rows)
    figures["replies"] = len(replies)
    figures["people who asked again"] = sum(journey.asked_again > 0 for journey in storm.journeys)


# ── what came in ─────────────────────────────────────────────────────────────────────────────────


def _talks(conn: Connection, storm: PlatformStorm, rows: Sequence[Any], verdict: Verdict) -> list[Talk]:
    """Which conversation is whose: what one person sent stands in one, in order, and no two share one."""
    keys, channel = storm.ground.keys, storm.platform.channel
    by_dedupe = {row.dedupe: row for row in rows}
    talks: dict[str, Talk] = {}
    for journey in storm.journeys:
        who = f"person {journey.number}"
        verdict.demand(journey.finished, f"{who} is stuck: {journey.trouble}")
        found = [by_dedupe.get(keys.lookup("message", f"{channel}|{name}")) for name in journey.sent]
        held_in = {row.conversation for row in found if row is not None}
        verdict.demand(len(held_in) == 1, f"{who} is in {len(held_in)} conversations")
        lanes = defaultdict(list)
        for name, row in zip(journey.sent, found, strict=True):
            if row is not None:
                lanes[storm.platform.lane(name)].append(row.id)
        in_order = all(order == sorted(order) for order in lanes.values())
        verdict.demand(in_order, f"{who}: messages stored out of order")
        for conversation in held_in:
            verdict.demand(conversation not in talks, f"conversation {conversation} is of two people")
            talk = talks[conversation] = Talk(journey, conversation)
            talk.replies = list(outbox.whole_conversation(conn, keys, conversation))
    return list(talks.values())


def _inbox(
    conn: Connection, storm: PlatformStorm, rows: Sequence[Any], of_message: dict[int, list[Any]], verdict: Verdict
) -> None:
    """Everything that a living service took is there once, handled and answered, and nothing else is."""
    filled = conn.execute(select(func.count()).select_from(forms).where(forms.c.used_at.is_not(None))).scalar_one()
    sent = {f"{storm.platform.channel}|{name}" for journey in storm.journeys for name in journey.sent}
    sent -= {f"{storm.platform.channel}|{name}" for name in storm.platform.given_up()}
    stored = {row.dedupe for row in rows}
    missing = [name for name in sent if storm.ground.keys.lookup("message", name) not in stored]
    verdict.demand(not missing, f"{len(missing)} messages are not in the inbox: {missing[:5]}")
    verdict.demand(
        len(rows) == len(sent) - len(missing) + filled,
        f"{len(rows)} inbox rows for {len(sent)} messages and {filled} filled forms",
    )
    states = Counter(row.status for row in rows)
    verdict.demand(set(states) == {"done"}, f"inbox rows by state: {dict(states)}")
    unanswered = [row.id for row in rows if not of_message[row.id]]
    verdict.demand(not unanswered, f"{len(unanswered)} messages without a reply: {unanswered[:5]}")
    verdict.figures["filled in on the page"] = filled
    verdict.figures["given up by the platform"] = len(storm.platform.given_up())


# ── what went out ────────────────────────────────────────────────────────────────────────────────


def _outbox(replies: Sequence[Any], of_message: dict[int, list[Any]], verdict: Verdict) -> None:
    states = Counter(reply.status for reply in replies)
    verdict.demand(set(states) == {"sent"}, f"replies by state: {dict(states)}")
    for inbox_id, its in of_message.items():
        numbers = sorted(reply.n for reply in its)
        verdict.demand(numbers == list(range(len(its))), f"message {inbox_id}: replies numbered {numbers}")
    # A send that met the platform's own end of a dying connection would count here; a kill of ours must not.
    verdict.figures["replies tried in vain"] = sum(reply.attempts > 0 for reply in replies)


def _deliveries(storm: PlatformStorm, talks: Sequence[Talk], replies: Sequence[Any], verdict: Verdict) -> None:
    """Every reply reached its person, in order, and a second time only where the design says so."""
    names: defaultdict[str, dict[bytes, int]] = defaultdict(dict)  # message ids of the fake count in each chat
    for reply in replies:
        names[reply.conversation][reply.platform_id] = reply.id
    got_twice: Counter[str] = Counter()
    for talk in talks:
        got = storm.platform.heard(talk.journey.account)
        _match(storm, talk, got, names[talk.conversation], verdict)
        who = f"person {talk.journey.number}"
        lost = [reply.id for reply in talk.replies if not talk.copies.get(reply.id)]
        verdict.demand(not lost, f"{who}: replies {lost[:5]} never came")
        firsts = [talk.copies[reply.id][0] for reply in talk.replies if talk.copies.get(reply.id)]
        verdict.demand(firsts == sorted(firsts), f"{who}: replies came out of order")
        for reply, at in talk.copies.items():
            for earlier, later in pairwise(at):
                got_twice[_during(storm, got[earlier].at)] += 1
                _may_repeat(storm, who, reply, got[earlier].at, got[later].at, verdict)
    for stretch in storm.stretches:
        restarts = sorted(stretch.restarts_s)
        verdict.stretches.append(
            {
                "where": stretch.where,
                "kills": stretch.kills,
                "restart_median_s": round(restarts[len(restarts) // 2], 2) if restarts else 0.0,
                "got_twice": got_twice[stretch.where],
            }
        )
    verdict.figures["messages that people got"] = sum(
        len(storm.platform.heard(journey.account)) for journey in storm.journeys
    )
    verdict.figures["replies that came twice"] = sum(got_twice.values())


def _match(storm: PlatformStorm, talk: Talk, got: Sequence[Heard], names: dict[bytes, int], verdict: Verdict) -> None:
    """Fills in the copies of each reply: by our name where it travels along, else by the platform's and the words."""
    keys, channel = storm.ground.keys, storm.platform.channel
    texts = {reply.id: reply.body.text for reply in talk.replies}
    marked: dict[int, int] = {}
    for place, one in enumerate(got):
        row = one.row if one.row is not None else names.get(deliveries.platform_name(keys, channel, one.name))
        if row in texts:
            marked[place] = row
    for place, one in enumerate(got):
        row = marked.get(place)
        if row is None:  # taken by the platform, and nobody lived to mark it: its next copy says whose it is
            later = sorted(at for at, other in marked.items() if at > place and texts[other] == one.text)
            row = marked[later[0]] if later else None
        if row is None:
            verdict.demand(False, f"person {talk.journey.number} got a message that no reply explains: {one.text!r}")
            continue
        if channel == "telegram":
            verdict.demand(texts[row] == one.text, f"reply {row} reads otherwise at its person")
        talk.copies.setdefault(row, []).append(place)


def _may_repeat(storm: PlatformStorm, who: str, row: int, first: datetime, second: datetime, verdict: Verdict) -> None:
    """A kill lies between the two; on WhatsApp a minute as well, and no status that a living service was told."""
    deaths = [storm.clock.at(death) for death in storm.deaths]
    killed = any(first < death < second for death in deaths)
    verdict.demand(killed, f"{who}: reply {row} came twice without a kill in between")
    if storm.platform.channel != "whatsapp":
        return
    # The wait counts from when the reply was handed to the sender, which is a little before it was taken.
    waited = second - first + timedelta(seconds=UNDER_WAY_S * storm.clock.speed)
    verdict.demand(waited >= timedelta(seconds=DOUBT_S), f"{who}: reply {row} came again after {second - first}")
    told = getattr(storm.platform, "told", {}).get(row)
    late = told is None or storm.clock.at(told + UNDER_WAY_S) >= second
    verdict.demand(late, f"{who}: reply {row} came again though a status had told of it")


def _during(storm: PlatformStorm, at: datetime) -> str:
    return next((where for where, began in reversed(storm.marks) if storm.clock.at(began) <= at), storm.marks[0][0])


# ── what was recorded ────────────────────────────────────────────────────────────────────────────


def _records(conn: Connection, storm: PlatformStorm, talks: Sequence[Talk], verdict: Verdict) -> None:
    """One application and one ticket each, with the photo that this person sent, stored once."""
    told = Counter(code for journey in storm.journeys for code in journey.codes)
    verdict.demand(all(count == 1 for count in told.values()), "one code was told to two people")
    stored = {row.code for row in rows_of(conn, select(codes.c.code))}
    verdict.demand(stored == told.keys(), f"{len(stored)} records stored, {len(told)} told")
    opened = rows_of(conn, select(tickets.c.code, tickets.c.kind, tickets.c.conversation, tickets.c.media))
    receipts = Counter(row.conversation for row in rows_of(conn, select(application_receipts.c.conversation)))
    kept = defaultdict(list)
    for row in rows_of(conn, select(media_table.c.id, media_table.c.conversation)):
        kept[row.conversation].append(row.id)
    for talk in talks:
        who = f"person {talk.journey.number}"
        its = [row for row in opened if row.conversation == talk.conversation]
        verdict.demand([row.kind for row in its] == ["complaint"], f"{who}: tickets {[row.kind for row in its]}")
        verdict.demand(receipts[talk.conversation] == 1, f"{who}: {receipts[talk.conversation]} sign-ups")
        photos = [photo for row in its for photo in json.loads(row.media)]
        verdict.demand(len(photos) == 1, f"{who}: {len(photos)} photos at the ticket")
        verdict.demand(kept[talk.conversation] == photos, f"{who}: {len(kept[talk.conversation])} files kept")
        for photo in photos:
            file = media.load(conn, storm.ground.keys, photo)
            whose = shown_in(file.content) if file is not None else None
            verdict.demand(whose == talk.journey.number % 4096, f"{who}: the photo is of person {whose}")
    verdict.demand(len(opened) == len(talks), f"{len(opened)} tickets for {len(talks)} people")
    live = conn.execute(select(func.count()).select_from(applications)).scalar_one()
    verdict.demand(live == len(talks), f"{live} applications for {len(talks)} people")
    verdict.figures |= {"applications": live, "tickets": len(opened), "photos": sum(map(len, kept.values()))}
