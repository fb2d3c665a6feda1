"""The fake Bot API keeps the platform's rules."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.clock import ManualClock
from bot.fakes import telegram_faults as faults
from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_faults import Fault, refusal
from bot.fakes.telegram_formatting import Styled, styled
from bot.fakes.telegram_limits import Limits
from bot.fakes.telegram_wire import Json, Params, Refused, Upload

pytestmark = pytest.mark.asyncio

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20
YES = {"inline_keyboard": [[{"text": "Ya", "callback_data": "y:1"}]]}


class Bench:
    """A fake on a clock of ours, called without HTTP."""

    def __init__(self, **details: Any) -> None:
        self.clock = ManualClock(MORNING)
        self.fake = FakeTelegram(now=self.clock.now, **details)
        self.budi = self.fake.person("Budi")

    async def call(self, method: str, files: dict[str, Upload] | None = None, **values: Any) -> Json:
        return (await self.fake.call(TOKEN, method, Params(values, files or {}))).answer

    async def say(self, text: str = "halo", **values: Any) -> Json:
        return await self.call("sendMessage", **{"chat_id": self.budi.id, "text": text, **values})

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_is_sent_is_what_people_got(bench: Bench) -> None:
    await bench.say(" <b>Halo</b> 😀 <i>Budi</i> ", parse_mode="HTML", reply_markup=YES)
    (got,) = bench.fake.said_to(bench.budi.id)
    assert (got.text, got.buttons, got.keyboard) == ("Halo 😀 Budi", (("Ya", "y:1"),), "inline")
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in got.entities] == [
        ("bold", 0, 4),
        ("italic", 8, 4),
    ]


async def test_a_button_is_pressed_by_its_title_and_answered_once(bench: Bench) -> None:
    sent = await bench.say(reply_markup=YES)
    query = bench.fake.updates.press(bench.budi, "Ya")["callback_query"]
    assert (query["data"], query["message"]["message_id"]) == ("y:1", sent["result"]["message_id"])
    assert (await bench.call("answerCallbackQuery", callback_query_id=query["id"], text="Baik"))["ok"]
    again = await bench.call("answerCallbackQuery", callback_query_id=query["id"])
    assert again["description"].startswith("Bad Request: query is too old")
    with pytest.raises(LookupError):
        bench.fake.updates.press(bench.budi, "Tidak")


@pytest.mark.parametrize(("seconds", "answered"), [(150, True), (151, False)])
async def test_a_press_waits_150_seconds(bench: Bench, seconds: int, answered: bool) -> None:
    query = bench.fake.updates.callback(bench.budi, "y:1")["callback_query"]
    bench.wait(seconds)
    assert (await bench.call("answerCallbackQuery", callback_query_id=query["id"]))["ok"] is answered


async def test_a_reply_keyboard_gives_a_contact_and_goes(bench: Bench) -> None:
    rows = [[{"text": "Kirim nomor", "request_contact": True}], ["Nanti"]]
    await bench.say(reply_markup={"keyboard": rows, "one_time_keyboard": False})
    assert bench.fake.updates.press(bench.budi, "Nanti")["message"]["text"] == "Nanti"
    contact = bench.fake.updates.press(bench.budi, "Kirim nomor")["message"]["contact"]
    assert (contact["user_id"], contact["phone_number"]) == (bench.budi.id, bench.budi.phone)
    bench.wait(1)
    await bench.say(reply_markup={"remove_keyboard": True})
    with pytest.raises(LookupError):
        bench.fake.updates.press(bench.budi, "Nanti")


async def test_one_message_a_second_to_one_chat(bench: Bench) -> None:
    assert (await bench.say())["ok"]
    bench.wait(0.999)
    refused = await bench.say()
    assert (refused["error_code"], refused["parameters"]) == (429, {"retry_after": 1})
    bench.wait(0.001)
    assert (await bench.say())["ok"]
    assert [violation.rule for violation in bench.fake.violations] == ["chat"]


async def test_a_burst_is_a_setting() -> None:
    bench = Bench(limits=Limits(chat_burst=3))
    assert [(await bench.say())["ok"] for _ in range(4)] == [True, True, True, False]
    bench.wait(1)
    assert [(await bench.say())["ok"] for _ in range(2)] == [True, False]


async def test_twenty_a_minute_to_one_group_over_all_its_topics(bench: Bench) -> None:
    group = bench.fake.group("Meja petugas", is_forum=True)
    sent = []
    for number in range(21):
        sent.append(await bench.say(str(number), chat_id=group.id))
        bench.wait(1)
    assert [answer["ok"] for answer in sent] == [True] * 20 + [False]
    assert sent[-1]["parameters"]["retry_after"] == 40
    bench.wait(39)
    assert (await bench.say("lagi", chat_id=group.id))["ok"]


async def test_thirty_a_second_in_all(bench: Bench) -> None:
    people = [bench.fake.person(f"Orang {number}") for number in range(31)]
    answers = [await bench.say(chat_id=person.id) for person in people]
    assert [answer["ok"] for answer in answers] == [True] * 30 + [False]
    assert bench.fake.violations[0].rule == "overall"


async def test_who_is_told_to_wait_must_wait(bench: Bench) -> None:
    bench.fake.fail(refusal(429, "Too Many Requests: retry after 5", retry_after=5))
    assert (await bench.say())["parameters"]["retry_after"] == 5
    assert bench.fake.violations == []
    bench.wait(4)
    assert (await bench.say())["parameters"]["retry_after"] == 1
    assert [violation.rule for violation in bench.fake.violations] == ["retry_after"]
    bench.wait(1)
    assert (await bench.say())["ok"]


async def test_a_chat_without_start_is_not_found_and_a_blocked_one_forbidden(bench: Bench) -> None:
    siti = bench.fake.person("Siti", started=False)
    assert (await bench.say(chat_id=siti.id))["description"] == "Bad Request: chat not found"
    assert (await bench.say(chat_id=99))["description"] == "Bad Request: chat not found"
    bench.fake.updates.start(siti)
    assert (await bench.say(chat_id=siti.id))["ok"]
    bench.fake.updates.blocked(siti)
    blocked = await bench.say(chat_id=siti.id)
    assert (blocked["error_code"], blocked["description"]) == (403, "Forbidden: bot was blocked by the user")
    bench.fake.updates.unblocked(siti)
    bench.wait(1)
    assert (await bench.say(chat_id=siti.id))["ok"]


async def test_a_group_that_became_a_supergroup_tells_its_new_id(bench: Bench) -> None:
    group = bench.fake.group("Meja petugas", kind="group")
    _, new = bench.fake.updates.migrated(bench.budi, group)
    assert (await bench.say(chat_id=group.id))["parameters"] == {"migrate_to_chat_id": new.id}
    assert (await bench.say(chat_id=new.id))["ok"]


async def test_topics(bench: Bench) -> None:
    group = bench.fake.group("Meja petugas", is_forum=True)
    made = await bench.call("createForumTopic", chat_id=group.id, name="RK-7K3Q")
    thread_id = made["result"]["message_thread_id"]
    bench.wait(1)
    assert (await bench.say(chat_id=group.id, message_thread_id=thread_id))["ok"]
    for wrong in (1, 999):
        answer = await bench.say(chat_id=group.id, message_thread_id=wrong)
        assert answer["description"] == "Bad Request: message thread not found"
    bench.fake.updates.topic_deleted(group, thread_id)
    bench.wait(1)
    gone = await bench.say(chat_id=group.id, message_thread_id=thread_id)
    assert gone["description"] == "Bad Request: message thread not found"
    assert (await bench.call("createForumTopic", chat_id=bench.budi.id, name="x"))["error_code"] == 400
    assert (await bench.call("createForumTopic", chat_id=group.id, name="x" * 129))["error_code"] == 400


async def test_edits(bench: Bench) -> None:
    sent = (await bench.say(reply_markup=YES))["result"]
    named = {"chat_id": bench.budi.id, "message_id": sent["message_id"]}
    same = await bench.call("editMessageText", **named, text="halo", reply_markup=YES)
    assert same["description"].startswith("Bad Request: message is not modified")
    assert (await bench.call("editMessageText", **named, text="selesai"))["ok"]
    assert [(one.kind, one.text, one.buttons) for one in bench.fake.said_to(bench.budi.id)] == [
        ("message", "halo", (("Ya", "y:1"),)),
        ("edit", "selesai", ()),
    ]
    with pytest.raises(LookupError):
        bench.fake.updates.press(bench.budi, "Ya")
    theirs = bench.fake.updates.text(bench.budi, "punya saya")["message"]["message_id"]
    answer = await bench.call("editMessageText", chat_id=bench.budi.id, message_id=theirs, text="x")
    assert answer["description"] == "Bad Request: message can't be edited"
    answer = await bench.call("editMessageText", chat_id=bench.budi.id, message_id=4711, text="x")
    assert answer["description"] == "Bad Request: message to edit not found"


@pytest.mark.parametrize(("hours", "gone"), [(48, True), (49, False)])
async def test_messages_can_be_deleted_for_48_hours(bench: Bench, hours: int, gone: bool) -> None:
    sent = (await bench.say())["result"]
    bench.wait(hours * 3600)
    answer = await bench.call("deleteMessage", chat_id=bench.budi.id, message_id=sent["message_id"])
    assert answer["ok"] is gone
    again = await bench.call("deleteMessage", chat_id=bench.budi.id, message_id=sent["message_id"])
    assert not again["ok"]


async def test_a_reply_to_what_is_not_there_is_refused_unless_allowed(bench: Bench) -> None:
    refused = await bench.say(reply_parameters={"message_id": 4711})
    assert refused["description"] == "Bad Request: message to be replied not found"
    assert (await bench.say(reply_parameters={"message_id": 4711, "allow_sending_without_reply": True}))["ok"]


async def test_files_come_down_once_linked_for_an_hour_and_not_above_20_mb(bench: Bench) -> None:
    update = bench.fake.updates.photo(bench.budi, PNG)
    largest = update["message"]["photo"][-1]
    path = (await bench.call("getFile", file_id=largest["file_id"]))["result"]["file_path"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bench.fake.app), base_url="http://fake") as client:
        assert (await client.get(f"/file/bot{TOKEN}/{path}")).content == PNG
        assert (await client.get(f"/file/bot1:x/{path}")).status_code == 404
        bench.wait(3600)
        assert (await client.get(f"/file/bot{TOKEN}/{path}")).status_code == 404
    big = bench.fake.put_file(b"video", size=(20 << 20) + 1)
    assert (await bench.call("getFile", file_id=big.file_id))["description"] == "Bad Request: file is too big"
    assert (await bench.call("getFile", file_id="x"))["description"] == "Bad Request: invalid file_id"


async def test_uploads(bench: Bench) -> None:
    async def photo(content: bytes) -> Json:
        bench.wait(1)
        return await bench.call("sendPhoto", {"photo": Upload(content, "a.png", "image/png")}, chat_id=bench.budi.id)

    sent = await photo(PNG)
    assert bench.fake.said_to(bench.budi.id)[0].file_id == sent["result"]["photo"][-1]["file_id"]
    assert (await photo(b""))["description"] == "Bad Request: file must be non-empty"
    assert (await photo(b"no picture"))["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    assert (await photo(PNG + bytes(10 << 20)))["error_code"] == 400
    assert (await photo(bytes((50 << 20) + 1)))["error_code"] == 413


async def test_an_offset_confirms_what_is_below_it(bench: Bench) -> None:
    updates = [bench.fake.updates.text(bench.budi, str(number)) for number in range(4)]
    ids = [update["update_id"] for update in updates]
    bench.fake.put(*updates)

    async def ask(**values: int) -> list[int]:
        bench.wait(1)
        return [update["update_id"] for update in (await bench.call("getUpdates", **values))["result"]]

    assert await ask(limit=2) == ids[:2]
    assert await ask() == ids
    assert await ask(offset=ids[1]) == ids[1:]
    assert await ask(offset=-1) == ids[3:]
    assert await ask() == ids[3:]
    assert await ask(offset=ids[3] + 1) == []


async def test_asking_in_haste_gives_one_update(bench: Bench) -> None:
    bench.fake.put(*[bench.fake.updates.text(bench.budi, "x") for _ in range(3)])
    assert len((await bench.call("getUpdates"))["result"]) == 3
    bench.wait(0.4)
    assert len((await bench.call("getUpdates"))["result"]) == 1


async def test_updates_expire(bench: Bench) -> None:
    bench.fake.put(bench.fake.updates.text(bench.budi, "x"), bench.fake.updates.callback(bench.budi, "y"))
    bench.wait(150)
    assert [set(update) for update in (await bench.call("getUpdates"))["result"]] == [{"update_id", "message"}]
    bench.wait(24 * 3600)
    assert (await bench.call("getUpdates"))["result"] == []


async def test_only_wanted_kinds_come_and_the_wish_is_remembered(bench: Bench) -> None:
    await bench.call("getUpdates", allowed_updates='["callback_query"]')
    await bench.call("getUpdates")
    bench.fake.put(bench.fake.updates.text(bench.budi, "x"), bench.fake.updates.callback(bench.budi, "y"))
    bench.wait(1)
    assert ["callback_query" in update for update in (await bench.call("getUpdates"))["result"]] == [True]
    await bench.call("getUpdates", allowed_updates="[]")
    bench.fake.put(bench.fake.updates.text(bench.budi, "x"))
    bench.wait(1)
    assert len((await bench.call("getUpdates"))["result"]) == 2


async def test_a_long_poll_waits_on_the_given_clock(bench: Bench) -> None:
    bench.fake.pause = bench.clock.sleep
    assert (await bench.call("getUpdates", timeout=30))["result"] == []
    assert timedelta(seconds=30) <= bench.clock.now() - MORNING < timedelta(seconds=31)


async def test_a_second_poll_ends_the_first(bench: Bench) -> None:
    bench.fake.pause = asyncio.sleep
    first = asyncio.create_task(bench.call("getUpdates", timeout=50))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(bench.call("getUpdates", timeout=50))
    assert (await first)["error_code"] == 409
    bench.fake.put(bench.fake.updates.text(bench.budi, "x"))
    assert len((await second)["result"]) == 1


async def test_a_webhook_and_polling_exclude_each_other(bench: Bench) -> None:
    assert (await bench.call("setWebhook", url="https://contoh.id/t", secret_token="s_1-A", max_connections=5))["ok"]
    assert (await bench.call("getUpdates"))["error_code"] == 409
    bench.fake.put(bench.fake.updates.text(bench.budi, "x"))
    info = (await bench.call("getWebhookInfo"))["result"]
    assert (info["url"], info["pending_update_count"], info["max_connections"]) == ("https://contoh.id/t", 1, 5)
    assert (await bench.call("deleteWebhook", drop_pending_updates="true"))["ok"]
    assert (await bench.call("getUpdates"))["result"] == []


@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://contoh.id/t"},
        {"url": "https://contoh.id:8080/t"},
        {"url": "http://127.0.0.1:8080/t"},
        {"url": "https://127.0.0.1/t"},
        {"url": "https://contoh.id/t", "secret_token": "a b"},
        {"url": "https://contoh.id/t", "secret_token": "a" * 257},
        {"url": "https://contoh.id/t", "max_connections": 101},
    ],
)
async def test_webhooks_that_are_refused(bench: Bench, values: Json) -> None:
    assert (await bench.call("setWebhook", **values))["error_code"] == 400
    assert (await bench.call("getWebhookInfo"))["result"]["url"] == ""


async def test_a_loopback_webhook_needs_the_flag() -> None:
    bench = Bench(allow_loopback_webhook=True)
    assert (await bench.call("setWebhook", url="http://127.0.0.1:8080/t"))["ok"]


async def test_faults_come_in_order_and_only_where_they_are_meant(bench: Bench) -> None:
    siti = bench.fake.person("Siti")
    bench.fake.fail(faults.BLOCKED, chat_id=siti.id)
    bench.fake.fail(faults.SERVER_ERROR, faults.BAD_GATEWAY, method="sendMessage")
    assert (await bench.call("getMe"))["ok"]
    codes = [(await bench.say(chat_id=to))["error_code"] for to in (bench.budi.id, siti.id, siti.id)]
    assert codes == [500, 403, 502]
    assert (await bench.say())["ok"]
    assert bench.fake.refusals == []
    assert [call.scripted for call in bench.fake.requests] == [False, True, True, True, False]


async def test_a_request_may_be_done_and_never_answered(bench: Bench) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bench.fake.app), base_url="http://fake") as client:

        async def say() -> int:
            bench.wait(1)
            values = {"chat_id": bench.budi.id, "text": "halo"}
            return (await client.post(f"/bot{TOKEN}/sendMessage", json=values)).status_code

        bench.fake.fail(Fault("hang"), Fault("drop_after"), Fault("drop_before"))
        with pytest.raises(httpx.ReadTimeout):
            await say()
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                await say()
        assert await say() == 200
    assert len(bench.fake.said_to(bench.budi.id)) == 3
    assert [call.done for call in bench.fake.requests] == [True, True, False, True]


async def test_a_delay_passes_on_the_given_clock(bench: Bench) -> None:
    with pytest.raises(ValueError, match="pause"):
        bench.fake.fail(Fault("delay", delay_s=3))
    bench.fake.pause = bench.clock.sleep
    bench.fake.fail(Fault("delay", delay_s=3))
    assert (await bench.say())["ok"]
    assert bench.clock.now() - MORNING == timedelta(seconds=3)


async def test_the_token_and_the_method_must_be_known(bench: Bench) -> None:
    assert (await bench.fake.call("1:wrong", "getMe", Params())).status == 401
    assert (await bench.call("sendHologram"))["error_code"] == 404


@pytest.mark.parametrize(
    ("text", "mode", "seen"),
    [
        ("a &lt;b&gt; &amp; &quot;c&quot; &#33;", "HTML", Styled('a <b> & "c" !')),
        (r"1\. *tebal* \_x\_", "MarkdownV2", Styled("1. tebal _x_", ({"type": "bold", "offset": 3, "length": 5},))),
        (
            "[sini](https://contoh.id/a)",
            "MarkdownV2",
            Styled("sini", ({"type": "text_link", "offset": 0, "length": 4, "url": "https://contoh.id/a"},)),
        ),
        ("`a*b`", "MarkdownV2", Styled("a*b", ({"type": "code", "offset": 0, "length": 3},))),
        ("*_x_", "", Styled("*_x_")),
    ],
)
async def test_markup_is_read(text: str, mode: str, seen: Styled) -> None:
    assert styled(text, mode, None) == seen


async def test_an_entity_may_not_cut_an_emoji(bench: Bench) -> None:
    with pytest.raises(Refused, match="in a middle"):
        styled("😀 halo", "", [{"type": "bold", "offset": 1, "length": 3}])
