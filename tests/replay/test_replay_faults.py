"""What goes wrong during a step really goes wrong, and the verdict is about what came after."""

from __future__ import annotations

import pytest
from replay_runs import Runs


def case(steps: str, final: str = "", head: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in steps.strip("\n").splitlines())
    ending = "".join(f"      {line}\n" for line in final.strip("\n").splitlines())
    return f"{head}test_cases:\n  - test_case: satu\n    steps:\n{lines}" + (
        f"    finally:\n{ending}" if ending else ""
    )


STAFF = "fixtures:\n  - rina:\n      - staff: {name: Rina}\n"


def with_staff(steps: str, final: str = "") -> str:
    return case(steps, final, STAFF).replace("satu\n", "satu\n    fixtures: [rina]\n")


def test_a_message_delivered_three_times_is_handled_once(runs: Runs) -> None:
    """Deliveries count once: one ticket, one reply, one turn."""
    script = case("- user: petugas\n  deliver: {times: 3}", "- tickets: {count: 1}\n- sent: {count: 1}")
    code, report = runs.json(runs.script(script))
    assert (code, report["turns"]) == (0, 1)


def test_deliveries_are_really_made(runs: Runs) -> None:
    """The same words sent twice as two messages are two turns: it is the platform's id that makes a repeat."""
    code, report = runs.json(runs.script(case("- user: petugas\n- user: petugas", "- sent: {count: 1}")))
    assert (code, report["turns"]) == (1, 2)
    assert report["cases"][0]["failures"][0]["got"] == "2"


def test_a_message_can_come_again_the_next_day(runs: Runs) -> None:
    """The clock goes on between two deliveries: what is due in between happens."""
    steps = """
- user: petugas
- staff: rina
  does: {take: latest_ticket}
- user: permisi bu saya masih menunggu lho
  deliver: {after: 26h}
  assertions:
    - bot_uttered: {utter_name: staff/silent}
"""
    code, out, _ = runs(runs.script(with_staff(steps)))
    assert code == 0, out


def test_a_message_can_overtake_the_one_before(runs: Runs) -> None:
    """With before_previous the later message is handled first, each judged on its own answer."""
    steps = """
- user: {choice: Hitung iuran}
- user: menu
  deliver: {before_previous: true}
  assertions:
    - bot_uttered: {utter_name: engine/menu}
"""
    code, out, _ = runs(runs.script(case(steps)))
    assert code == 0, out
    late = case(steps.replace("  deliver: {before_previous: true}\n", ""))
    code, out, _ = runs(runs.script(late))
    assert code == 1
    assert "no message has a button 'Hitung iuran'" in out


@pytest.mark.parametrize("place", ["after_inbox", "before_commit", "after_commit", "after_send"])
@pytest.mark.parametrize("channel", ["terminal", "web"])
def test_nothing_is_lost_or_made_twice_by_a_crash(place: str, channel: str, runs: Runs) -> None:
    """The process dies, a new one finds the work: one ticket, and the person gets the answer."""
    steps = f"""
- user: petugas
  crash: {place}
  assertions:
    - flow_completed: talk_to_staff
    - bot_uttered: {{utter_name: talk_to_staff/opened}}
- user: menu
  assertions:
    - bot_uttered: {{utter_name: engine/menu}}
"""
    twice = place == "after_send" and channel == "terminal"
    final = f"- tickets: {{count: 1}}\n- outbox: {{count: 2}}\n- sent: {{count: {3 if twice else 2}}}"
    script = case(steps, final).replace("satu\n", f"satu\n    channel: {channel}\n")
    code, out, _ = runs(runs.script(script))
    assert code == 0, out


def test_a_crash_that_never_comes_fails_the_case(runs: Runs) -> None:
    """Nothing is sent while staff hold the talk, so a crash after sending is a mistake of the script."""
    steps = """
- user: petugas
- staff: rina
  does: {take: latest_ticket}
- user: baik bu terima kasih banyak ya
  crash: after_send
"""
    code, out, _ = runs(runs.script(with_staff(steps)))
    assert code == 1
    assert "it was never reached: after_send" in out


def test_timers_fire_while_waiting_and_not_before(runs: Runs) -> None:
    """Sixty working minutes of silence give the talk back to the bot: not after half an hour."""
    steps = """
- user: petugas
- staff: rina
  does: {take: latest_ticket}
- wait: 30m
  assertions: [silence]
- wait: 31m
  assertions:
    - bot_uttered: {utter_name: staff/silent}
- user: menu
  assertions:
    - bot_uttered: {utter_name: engine/menu}
"""
    code, out, _ = runs(runs.script(with_staff(steps)))
    assert code == 0, out
    code, _, _ = runs(runs.script(with_staff(steps.replace("31m", "20m"))))
    assert code == 1


def test_a_refused_message_is_sent_again(runs: Runs) -> None:
    """Two refusals with a time to wait: the message goes out in the end, once."""
    steps = """
- user: petugas
  provider: {status: 429, retry_after: 40, times: 2}
  assertions:
    - bot_uttered: {utter_name: talk_to_staff/opened}
"""
    final = "- outbox: [{status: sent, attempts: 2}]\n- sent: {count: 1}"
    code, out, _ = runs(runs.script(case(steps, final)))
    assert code == 0, out


def test_a_message_refused_for_good_is_never_sent(runs: Runs) -> None:
    """A person who blocked us hears nothing; the row is set aside."""
    steps = """
- user: menu
  provider: {status: 403}
  assertions: [silence]
"""
    code, out, _ = runs(runs.script(case(steps, "- outbox: [{key: engine/menu, status: parked}]\n- sent: {count: 0}")))
    assert code == 0, out


@pytest.mark.parametrize("at", ["inbox", "turn", "send"])
def test_an_outage_of_the_database_is_waited_out(at: str, runs: Runs) -> None:
    """Wherever it strikes, the answer comes when the database is back, and only once."""
    steps = f"""
- user: petugas
  database: {{down: 2m, at: {at}}}
  assertions:
    - bot_uttered: {{utter_name: talk_to_staff/opened}}
"""
    code, out, _ = runs(runs.script(case(steps, "- tickets: {count: 1}\n- sent: {count: 1}")))
    assert code == 0, out


def test_several_people_have_conversations_of_their_own(runs: Runs) -> None:
    """What one answers is not the other's, and silence for one is not broken by the other."""
    steps = """
- user: menu
  as: siti
- user: {choice: Hitung iuran}
  as: siti
- user: batal
  as: joko
  assertions:
    - bot_uttered: {utter_name: engine/nothing_to_cancel}
- user: batal
  as: siti
  assertions:
    - flow_cancelled: calculate_contribution
"""
    code, out, _ = runs(runs.script(case(steps)))
    assert code == 0, out


def test_kinds_of_messages_reach_the_program(runs: Runs) -> None:
    """A photo, a voice note, a document, a place, a card and a sticker are each answered as what they are."""
    kinds = {
        "{photo: a.jpg, caption: ''}": "engine/photo_not_now",
        "{voice: a.ogg}": "engine/voice_offer",
        "{document: a.pdf}": "engine/document_not_now",
        "{location: [-6.2, 106.8]}": "engine/location_unasked_not_now",
        '{contact: "+6281200000001"}': "engine/contact_not_now",
        '{contact: "+6281200000001", own: true}': "engine/contact_own_not_now",
        '{sticker: "👍"}': "engine/sticker_not_now",
    }
    steps = "\n".join(
        f"- user: {kind}\n  assertions:\n    - bot_uttered: {{utter_name: {key}}}" for kind, key in kinds.items()
    )
    code, out, _ = runs(runs.script(case(steps)))
    assert code == 0, out


def test_a_broken_photo_beside_the_script_is_what_is_sent(runs: Runs) -> None:
    """The file beside the script goes before the one that would be made."""
    (runs.folder / "rusak.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    steps = """
- user: {photo: rusak.jpg}
  assertions:
    - bot_uttered: {utter_name: engine/media_unreadable}
"""
    code, out, _ = runs(runs.script(case(steps)))
    assert code == 0, out


def test_a_message_that_the_program_gives_up_on_fails_the_case(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug that parks a message is no pass, even where nothing is asserted; a script may expect it by name."""
    monkeypatch.setattr("bot.turn.decide", _broken)
    code, out, _ = runs(runs.script(case("- user: menu")))
    assert code == 1
    assert "a message that is handled" in out
    assert "error=ZeroDivisionError" in out
    expected = "- user: menu\n  assertions:\n    - bot_uttered: {utter_name: engine/parked}"
    code, out, _ = runs(runs.script(case(expected, "- tickets: [{kind: parked}]")))
    assert code == 0, out


def _broken(*_: object) -> float:
    return 1 / 0


def test_people_can_type_the_code_of_the_latest_ticket(runs: Runs) -> None:
    """Codes are made by the program; a script names the one it means."""
    steps = """
- user: petugas
- user: "{latest_ticket}"
  assertions:
    - flow_started: check_ticket
    - bot_uttered: {utter_name: check_ticket/state}
"""
    code, out, _ = runs(runs.script(case(steps)))
    assert code == 0, out


def test_another_engine_answers_when_the_first_is_down(runs: Runs) -> None:
    """What the recording does not know is read by the engine that the service carries with it."""
    steps = """
- user: menu
- user: batal
  engine: down
  assertions:
    - intent: cancel
"""
    path = runs.script(case("- user: menu"))
    assert runs(path, "--record")[0] == 0
    runs.script(case(steps))
    assert runs(path, "--engine", "recorded")[0] == 0
    runs.script(case(steps.replace("  engine: down\n", "")))
    assert runs(path, "--engine", "recorded")[0] == 1
