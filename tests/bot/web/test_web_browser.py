"""The page in a real browser: talking, reloading, losing the network, and doing without a mouse."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from web_service import Service, served, until

from flows.model import Choice, FormAnswer, Media, Text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = os.environ.get("RANGKUL_SHOTS")
"""A folder for pictures of the page, for people to look at; none are taken without it."""

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Seat:
    """A person before a page of a running service."""

    def __init__(self, page: Page, context: BrowserContext, service: Service) -> None:
        self.page = page
        self.context = context
        self.service = service
        self.trouble: list[str] = []
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", lambda line: self.trouble.append(line.text) if "Policy" in line.text else None)

    async def bubbles(self) -> list[str]:
        """What both sides said, "> " before the person's own."""
        return await self.page.evaluate(
            """() => [...document.querySelectorAll("#log .bubble")].map(
                (bubble) => (bubble.closest(".me") ? "> " : "") + bubble.innerText.trim())"""
        )

    async def sees(self, *expected: str) -> None:
        """Waits until exactly this was said; fails with what was said instead."""
        shown: list[str] = []
        for _ in range(200):
            shown = await self.bubbles()
            if shown == list(expected):
                return
            await asyncio.sleep(0.03)
        assert shown == list(expected)

    async def say(self, text: str) -> None:
        await self.page.fill("#text", text)
        await self.page.click("#send")

    async def shot(self, name: str) -> None:
        """A picture for people to look at."""
        if SHOTS:
            await self.page.screenshot(path=f"{SHOTS}/{name}.png")


@asynccontextmanager
async def seated(service: Service, path: str = "/", **options: Any) -> AsyncIterator[Seat]:
    options.setdefault("viewport", PHONE)
    async with served(service) as url, chromium() as browser:
        context = await browser.new_context(base_url=url, locale="id-ID", **options)
        page = await context.new_page()
        page.set_default_timeout(8000)
        seat = Seat(page, context, service)
        await page.goto(path)
        yield seat
        assert seat.trouble == []
        await context.close()


async def test_a_talk_of_a_few_turns_survives_a_reload(service: Service) -> None:
    """Words, buttons and several answers are shown in order, and are all there again after a reload."""
    async with seated(service) as seat:
        await seat.shot("phone-empty")
        await seat.say("halo\nada yang bisa dibantu?")
        await seat.sees("> halo\nada yang bisa dibantu?", "Jawaban untuk: halo\nada yang bisa dibantu?")
        await seat.say("pilih")
        button = seat.page.get_by_role("button", name="1 Ya")
        await button.wait_for()
        await seat.shot("phone-choices")
        await button.click()
        await seat.say("tiga")
        expected = [
            "> halo\nada yang bisa dibantu?",
            "Jawaban untuk: halo\nada yang bisa dibantu?",
            "> pilih",
            "Apakah Bapak/Ibu sudah punya KTP?",
            "> Ya",
            "Dipilih: Ya (7:answer:1)",
            "> tiga",
            "Bagian 1 dari 3.",
            "Bagian 2 dari 3.",
            "Bagian 3 dari 3.",
        ]
        await seat.sees(*expected)
        await seat.shot("phone-talk")
        await seat.page.reload()
        await seat.sees(*expected)
        await seat.say("lagi")
        await seat.sees(*expected, "> lagi", "Jawaban untuk: lagi")
        storage = await seat.page.evaluate("() => [localStorage.length, sessionStorage.length]")
        assert storage == [0, 0]


async def test_an_old_button_can_still_be_pressed(service: Service) -> None:
    """Buttons of an earlier question look quiet but work; a double tap is one press."""
    async with seated(service) as seat:
        await seat.say("pilih")
        await seat.page.get_by_role("button", name="2 Tidak").wait_for()
        await seat.say("halo")
        await seat.sees("> pilih", "Apakah Bapak/Ibu sudah punya KTP?", "> halo", "Jawaban untuk: halo")
        assert await seat.page.locator(".row.bot.old .choices button").count() == 2
        found = await seat.page.locator("#log button").evaluate_all(
            "all => all.map((one) => [one.tabIndex, one.getAttribute('aria-disabled')])"
        )
        assert found == [[-1, "true"]] * 2
        # Playwright takes aria-disabled for disabled; a finger does not.
        await seat.page.get_by_role("button", name="2 Tidak").dblclick(force=True)
        await until(lambda: Choice("7:answer:2", "Tidak") in service.bot.handled)
        await asyncio.sleep(0.2)
        assert service.bot.handled.count(Choice("7:answer:2", "Tidak")) == 1


async def test_sending_scrolls_down(service: Service) -> None:
    """Whoever reads above and sends sees their own message and its answer, also when it waited for a signal."""
    async with seated(service, viewport=DESK) as seat:
        for _ in range(8):
            await seat.say("pilih")
        await until(lambda: len(service.bot.handled) == 8)
        await seat.page.locator(".bot .bubble").nth(7).wait_for()
        for without_signal in (False, True):
            for _ in range(16):
                await seat.page.keyboard.press("Shift+Tab")
            await seat.page.mouse.move(600, 300)
            await seat.page.mouse.wheel(0, -2000)
            await asyncio.sleep(0.2)
            assert await seat.page.evaluate("() => document.scrollingElement.scrollTop") == 0
            await seat.context.set_offline(without_signal)
            await seat.page.locator("#text").evaluate("text => text.focus({ preventScroll: true })")
            await seat.page.keyboard.type("tiga")
            await seat.page.keyboard.press("Enter")
            await seat.context.set_offline(False)
            last = 3 if not without_signal else 6
            await seat.page.get_by_text("Bagian").nth(last - 1).wait_for()
            await asyncio.sleep(0.3)
            gap = await seat.page.evaluate(
                "() => { const s = document.scrollingElement; return s.scrollHeight - s.scrollTop - innerHeight; }"
            )
            assert gap < 2
            assert await seat.page.locator("#newer").is_hidden()


async def test_the_way_down_stands_in_the_column(service: Service) -> None:
    """ "Ke pesan terbaru" is shown when an answer comes below what is read, inside the column, and leads there."""
    async with seated(service, viewport=DESK) as seat:
        for _ in range(8):
            await seat.say("pilih")
        await until(lambda: len(service.bot.handled) == 8)
        service.bot.pause_s = 0.5
        await seat.say("tiga")
        await seat.page.locator(".me.sent").last.wait_for()
        await seat.page.evaluate("() => scrollTo(0, 0)")
        await seat.page.locator("#newer").wait_for()
        box = await seat.page.locator("#newer").bounding_box()
        column = await seat.page.locator("#composer").bounding_box()
        assert box and column and box["x"] + box["width"] <= column["x"] + column["width"]
        await seat.shot("desk-newer")
        await seat.page.locator("#newer").click()
        assert await seat.page.locator("#newer").is_hidden()


async def test_offline_and_back_loses_and_doubles_nothing(service: Service) -> None:
    """What is written without a signal waits visibly and goes out once, in order, when the signal is back."""
    async with seated(service) as seat:
        await seat.say("satu")
        await seat.sees("> satu", "Jawaban untuk: satu")
        await seat.context.set_offline(True)
        await seat.say("dua")
        await seat.say("tiga kali")
        await seat.page.get_by_text("Tidak ada sinyal, pesan dikirim nanti.").wait_for()
        assert await seat.page.locator(".me.waiting").count() == 2
        await seat.shot("phone-offline")
        await seat.context.set_offline(False)
        await until(lambda: len(service.bot.handled) == 3)
        assert service.bot.handled == [Text("satu"), Text("dua"), Text("tiga kali")]
        await seat.page.get_by_text("Jawaban untuk: tiga kali").wait_for()
        assert sorted(await seat.bubbles()) == sorted(
            f"{side}{words}" for side in ("> ", "Jawaban untuk: ") for words in ("satu", "dua", "tiga kali")
        )
        await seat.page.locator("#status").wait_for(state="hidden")


async def test_a_lost_acknowledgement_does_not_double(service: Service) -> None:
    """The message arrived but our 202 was lost: the page sends the same id again and it counts once."""
    async with seated(service) as seat:
        dropped: list[str] = []

        async def drop_the_answer(route: Any) -> None:
            if route.request.method == "POST" and len(dropped) < 2:
                await route.fetch()
                dropped.append(route.request.post_data)
                await route.abort("connectionreset")
            else:
                await route.continue_()

        await seat.page.route("**/messages", drop_the_answer)
        await seat.say("sekali saja")
        await seat.page.locator(".me.sent").wait_for()
        assert len(set(dropped)) == 1 and len(dropped) == 2
        await seat.sees("> sekali saja", "Jawaban untuk: sekali saja")
        assert await service.rows("inbox") == 1


async def test_answers_written_while_away_are_there_on_return(service: Service) -> None:
    """A page whose connection was cut gets the answers it missed, once each."""
    service.bot.pause_s = 0.5
    async with seated(service) as seat:
        await seat.say("tiga")
        await seat.page.locator(".me.sent").wait_for()
        await seat.context.set_offline(True)
        await until(lambda: len(service.bot.handled) == 1)
        await asyncio.sleep(0.3)
        await seat.context.set_offline(False)
        await seat.sees("> tiga", "Bagian 1 dari 3.", "Bagian 2 dari 3.", "Bagian 3 dari 3.")


async def test_without_a_stream_the_page_asks(service: Service) -> None:
    """A browser without EventSource gets its answers by asking."""
    async with seated(service) as seat:
        await seat.context.add_init_script("delete window.EventSource")
        await seat.page.reload()
        assert await seat.page.evaluate("() => window.EventSource === undefined")
        await seat.say("halo")
        await seat.sees("> halo", "Jawaban untuk: halo")


async def test_a_refused_message_says_so(make_service: Any) -> None:
    """Too fast: the page says it kindly, keeps the message and sends it by itself later."""
    service = await make_service(messages_per_minute=60)
    async with seated(service) as seat:
        refused: list[str] = []

        async def slow_down(route: Any) -> None:
            if refused:
                await route.continue_()
            else:
                refused.append(route.request.post_data)
                await route.fulfill(status=429, headers={"Retry-After": "1"}, json={"error": "x"})

        await seat.page.route("**/messages", slow_down)
        await seat.say("cepat")
        await seat.page.get_by_text("Pesannya terlalu cepat.").wait_for()
        await seat.sees("> cepat", "Jawaban untuk: cepat")


async def test_keyboard_alone_is_enough(service: Service) -> None:
    """Tab reaches everything with a visible focus, Enter sends, Shift+Enter makes a line, buttons take Enter."""
    async with seated(service, viewport=DESK) as seat:
        keys = seat.page.keyboard
        await seat.page.locator("#welcome").wait_for()
        await keys.press("Tab")
        assert await seat.page.evaluate("() => document.activeElement.innerText") == "Langsung ke kotak pesan"
        await seat.shot("desk-skip")
        await keys.press("Enter")
        assert await seat.page.evaluate("() => document.activeElement.id") == "text"
        assert "#" not in seat.page.url
        outline = await seat.page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
        await keys.type("baris satu")
        await keys.press("Shift+Enter")
        await keys.type("baris dua")
        await keys.press("Enter")
        await seat.sees("> baris satu\nbaris dua", "Jawaban untuk: baris satu\nbaris dua")
        await keys.type("pilih")
        await keys.press("Enter")
        await seat.page.get_by_role("button", name="1 Ya").wait_for()
        for _ in range(30):
            await keys.press("Shift+Tab")
            if (await seat.page.evaluate("() => document.activeElement.innerText")).endswith("Ya"):
                break
        await seat.shot("desk-focus")
        await keys.press("Enter")
        await until(lambda: Choice("7:answer:1", "Ya") in service.bot.handled)


async def test_a_photo_is_previewed_made_small_and_sent(service: Service) -> None:
    """A chosen photo can be taken back, is made small by the browser, and arrives with its words."""
    out = io.BytesIO()
    Image.effect_noise((2000, 1500), 80).convert("RGB").save(out, "JPEG", quality=95)
    photo = {"name": "IMG.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}
    async with seated(service) as seat:
        sizes: list[int] = []
        seat.page.on("request", lambda sent: sizes.append(len(sent.post_data_buffer or b"")))
        await seat.page.set_input_files("#file", photo)
        await seat.page.locator("#preview").wait_for()
        await seat.page.click("#unpick")
        assert await seat.page.locator("#preview").is_hidden()
        await seat.page.set_input_files("#file", photo)
        await seat.page.locator("#preview").wait_for()
        await seat.shot("phone-preview")
        await seat.say("kuitansi bengkel")
        await seat.page.get_by_text("Foto diterima. kuitansi bengkel").wait_for()
        (content,) = service.bot.handled
        assert isinstance(content, Media) and content.caption == "kuitansi bengkel"
        assert max(sizes) < len(out.getvalue()) / 2
        assert await seat.page.locator(".me .bubble img").evaluate("image => image.naturalWidth") == 1600
        await seat.shot("phone-photo")


async def test_a_file_that_is_no_photo_is_answered(service: Service) -> None:
    """What the browser cannot open goes to the server as it is, and the conversation answers kindly."""
    async with seated(service) as seat:
        await seat.page.set_input_files(
            "#file", {"name": "foto.jpg", "mimeType": "image/jpeg", "buffer": b"%PDF-1.7 bukan foto"}
        )
        await seat.page.locator("#preview").wait_for()
        await seat.page.click("#send")
        await seat.page.get_by_text("Fotonya belum bisa dipakai: unsupported").wait_for()


async def test_the_secure_page_and_back(service: Service) -> None:
    """From the offered button through the one-field page back to the talk, with the number never shown in it."""
    async with seated(service) as seat:
        await seat.say("isi")
        await seat.page.get_by_role("button", name="Isi di halaman aman").click()
        await seat.page.get_by_label("Nomor KTP (NIK), 16 angka").fill("32750141079090")
        await seat.page.get_by_role("button", name="Kirim").click()
        await seat.page.get_by_role("alert").get_by_text("Yang diisi baru 14 angka.").wait_for()
        await seat.shot("phone-form-wrong")
        await seat.page.get_by_label("Nomor KTP (NIK), 16 angka").fill("3275014107909001")
        await seat.shot("phone-form")
        await seat.page.get_by_role("button", name="Kirim").click()
        await seat.page.get_by_text("Sudah diterima").wait_for()
        await seat.shot("phone-form-done")
        await seat.page.get_by_role("link", name="Kembali ke obrolan").click()
        await until(lambda: FormAnswer("nik", "3275014107909001") in service.bot.handled)
        await seat.page.get_by_text("Diterima: nik dengan 16 angka.").wait_for()
        assert "3275014107909001" not in await seat.page.content()


async def test_what_the_bot_says_is_only_ever_text(service: Service) -> None:
    """Markup and foreign links stay plain characters; a link to our own one-field page can be followed."""
    async with seated(service) as seat:
        origin = seat.page.url.rstrip("/")
        own = f"{origin}/isi/{'a' * 43}"
        text = f"<img src=x onerror=alert(1)> https://evil.example/isi/{'b' * 43} javascript:alert(1) {own}"
        await seat.say(text)
        await seat.page.locator(".bot .bubble a").wait_for()
        links = await seat.page.locator("#log a").evaluate_all("links => links.map((link) => link.href)")
        assert links == [own]
        assert await seat.page.locator("#log img").count() == 0


async def test_forget_empties_the_page(service: Service) -> None:
    """The menu's button takes the talk off the phone; going back in history shows nothing of it either."""
    async with seated(service) as seat:
        await seat.say("rahasia")
        await seat.sees("> rahasia", "Jawaban untuk: rahasia")
        await seat.page.get_by_text("Lainnya", exact=True).click()
        await seat.shot("phone-menu")
        await seat.page.get_by_role("button", name="Ya, hapus").click()
        await seat.page.get_by_text("Obrolan sudah dihapus dari HP ini").wait_for()
        await seat.shot("phone-forgotten")
        await seat.page.go_back()
        await seat.page.locator("#welcome").wait_for()
        assert await seat.bubbles() == []


async def test_an_idle_end_shows_in_an_open_page(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone left lying shows a kind word instead of the talk, and one press begins anew."""
    from datetime import timedelta

    from bot.web import events

    monkeypatch.setattr(events, "POLL_S", 0.2)
    async with seated(service) as seat:
        await seat.say("rahasia")
        await seat.sees("> rahasia", "Jawaban untuk: rahasia")
        service.clock.ahead += timedelta(days=1)
        await seat.page.get_by_text("Obrolan sudah ditutup").wait_for()
        assert "rahasia" not in await seat.page.content()
        await seat.shot("phone-ended")
        await seat.page.get_by_role("link", name="Mulai lagi").click()
        await seat.page.locator("#welcome").wait_for()
        await seat.say("halo lagi")
        await seat.sees("> halo lagi", "Jawaban untuk: halo lagi")


async def test_the_demo_starts_with_a_choice(make_service: Any) -> None:
    """The demo's cards lead into a fresh talk as that person."""
    service = await make_service(demo=True)
    async with seated(service) as seat:
        await seat.shot("phone-start")
        await seat.page.get_by_role("button", name="Budi").click()
        await seat.page.locator("#welcome").wait_for()
        await seat.page.get_by_role("button", name="Mau daftar").click()
        await seat.sees("> Mau daftar", "Jawaban untuk: Mau daftar")


CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.endsWith(", 0)") && colour !== "transparent") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [], small = [], thin = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest("[hidden], .hidden, noscript, svg")) continue;
    const name = element.tagName + "." + element.className + " " + element.textContent.slice(0, 30);
    const style = getComputedStyle(element);
    if (own) {
      const [a, b] = [light(style.color), light(ground(element))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(name);
      if (parseFloat(style.fontSize) < 16) small.push(name);
    }
    if (element.matches("button, summary, textarea, a.button, a.link") && (box.height < 47.9 || box.width < 47.9))
      thin.push(name + " " + box.width + "x" + box.height);
  }
  return { poor, small, thin, wide: document.documentElement.scrollWidth > innerWidth };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["phone", "desk"])
async def test_the_page_can_be_read_and_touched(service: Service, scheme: str, name: str) -> None:
    """In both schemes and sizes: contrast of 4.5, letters of 16 px, targets of 48 px, nothing wider than the screen."""
    viewport = PHONE if name == "phone" else DESK
    async with seated(service, viewport=viewport, color_scheme=scheme) as seat:
        await seat.say("Selamat pagi, saya mau tanya soal perlindungan kecelakaan kerja untuk pedagang " + "a" * 60)
        await seat.say("isi")
        await seat.page.get_by_role("button", name="Isi di halaman aman").wait_for()
        await seat.say("pilih")
        await seat.page.get_by_role("button", name="1 Ya").wait_for()
        await asyncio.sleep(0.2)
        found = await seat.page.evaluate(CONTRAST)
        assert found == {"poor": [], "small": [], "thin": [], "wide": False}
        await seat.shot(f"{name}-{scheme}")
        await seat.page.get_by_text("Lainnya", exact=True).click()
        found = await seat.page.evaluate(CONTRAST)
        assert found == {"poor": [], "small": [], "thin": [], "wide": False}
        await seat.shot(f"{name}-{scheme}-menu")


async def test_screen_readers_are_told(service: Service) -> None:
    """The talk is a polite log, speakers are named, and nothing to press is without a name."""
    async with seated(service) as seat:
        await seat.say("pilih")
        await seat.page.get_by_role("button", name="1 Ya").wait_for()
        log = seat.page.get_by_role("log", name="Percakapan")
        assert await log.get_attribute("aria-live") == "polite"
        text = await log.text_content()
        assert text is not None and "Rangkul: " in text and "Bapak/Ibu: pilih" in text
        nameless = await seat.page.evaluate(
            """() => [...document.querySelectorAll("button, input:not([type=hidden]), textarea")].filter((element) =>
                !element.closest("[hidden]") && !element.textContent.trim() && !element.getAttribute("aria-label") &&
                !(element.labels || []).length && element.getAttribute("aria-hidden") !== "true").length"""
        )
        assert nameless == 0


async def test_a_person_of_the_office_is_named(service: Service) -> None:
    """Words of staff stand under their name, so that nobody takes a person for the bot."""
    async with seated(service) as seat:
        await seat.say("petugas")
        await seat.page.get_by_text("Selamat siang").wait_for()
        assert await seat.page.locator(".row.bot .name").all_inner_texts() == ["Rina, petugas"]
        await seat.say("halo")
        await seat.page.get_by_text("Jawaban untuk: halo").wait_for()
        assert await seat.page.locator(".row.bot .name").count() == 1
        await seat.shot("phone-staff")


async def test_less_motion_when_asked(service: Service) -> None:
    """Whoever asked their phone for less motion sees none."""
    service.bot.pause_s = 1.0
    async with seated(service, reduced_motion="reduce") as seat:
        await seat.say("halo")
        await seat.page.locator("#typing").wait_for()
        await seat.shot("phone-typing")
        name = await seat.page.locator("#typing .dots i").first.evaluate("dot => getComputedStyle(dot).animationName")
        assert name == "none"
