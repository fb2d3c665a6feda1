"""The values a whole sentence holds: which entity, what value, and where it stands.

An amount's period is no duration; an age or an hour is neither a count nor a date; what is taken back in the same
sentence is left out; an old and a new value are both given. A region name that a city and a regency share is given with
both codes ("32.16|32.75") and the doubt "twin".
"""

# ruff: noqa: SIM905  word lists are read and edited as text

import re
from dataclasses import dataclass, replace
from datetime import date

from nlu.values.codes import find_codes
from nlu.values.counts import COUNTED, TOGETHER, count_noun
from nlu.values.dates import find_dates, spelled
from nlu.values.digit_runs import DigitRun, digit_runs
from nlu.values.folding import fold
from nlu.values.kpj import KPJ_DIGITS
from nlu.values.money import MOST_RUPIAH, MoneySpan, money_spans, period_doubts
from nlu.values.months import MOST_MONTHS, Span, spans_in
from nlu.values.names_in_sentences import find_names
from nlu.values.nik import NIK_DIGITS, check_nik
from nlu.values.numbers_in_words import Amount, Token, amounts_in, tokens_of
from nlu.values.occupations import NEEDS_CUE, decisive, find_occupations
from nlu.values.phones import read_run
from nlu.values.reading import Reading
from nlu.values.regions import RegionFound, find_regions

#: Numbers looked at in one sentence; a text with more is no sentence, and each costs a look at what stands around it.
MOST_NUMBERS = 40


@dataclass(frozen=True, slots=True)
class Found:
    """One value in a sentence: `text` is the piece from `start` to `end` (characters) as it was written."""

    entity: str
    value: str | int
    text: str
    start: int
    end: int
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A `Found` before its text is cut out; `rank` decides between pieces that overlap, the lower first."""

    entity: str
    value: str | int
    start: int
    end: int
    rank: int
    doubts: tuple[str, ...] = ()


_PROGRAMMES = re.compile(
    r"\b(?:(?P<jkk>jkk|jaminan kecelakaan(?: kerja)?)|(?P<jkm>jkm|jaminan kematian)|(?P<jht>jht|jaminan hari tua))\b"
)
_KPJ_CUE = re.compile(r"\b(?:kpj|kartu|peserta|kepesertaan|jamsostek|bpjs(?:tk)?|keanggotaan|anggota)\b")
_PHONE_CUE = re.compile(
    r"\b(?:hp|hape|wa|whatsapp|telp|telpon|telepon|tlp|nomor|nomer|no|kontak|hubungi|ponsel|"
    r"handphone|call)\b"
)
_BILL_CUE = re.compile(r"\b(?:tagihan|kode bayar|kode iuran|bayar|pembayaran|bill|virtual account)\b")
_PLEDGE_CUE = re.compile(r"\b(?:donasi|sumbangan|nyumbang|janji|komitmen|pledge|sedekah|donatur)\b")
_TICKET_CUE = re.compile(r"\b(?:tiket|ticket|keluhan|komplain|pengaduan|aduan|laporan|lapor)\b")
_TAKEN_BACK = re.compile(
    r"(?P<cut>\b(?:eh+|ralat|koreksi|maksud(?:nya|ku| saya)|mksd(?:nya)?|salah ketik|salah deng|salah ding|typo|bukan "
    r"deng|bukan ding|eh bukan|eh salah)\b[\s,]*(?:bukan|salah|maksud(?:nya|ku| saya))?)"
)
_NOT_THIS = re.compile(
    r"\b(?:bukan(?:nya|lah)?|bkn|dudu|sanes)\s+(?:di |ke |yang |pada |tanggal |tgl |nama |untuk |"
    r"rp\.? ?)?$"
)
_AGE_BEFORE = re.compile(
    r"\b(?:umur|usia|umurnya|usianya|umurku|umur saya|usia saya|berumur|berusia)\s*(?:saya|sy|"
    r"nya|ku|sekitar|masih|sudah|udah|baru|:)?\s*$"
)
_OCCUPATION_CUE = re.compile(
    r"\b(?:kerja(?:an|nya|annya)?(?: saya| sy| aku| suami| istri)?(?: sebagai| jadi| di| sbg)?|bekerja(?: sebagai| "
    r"jadi)?|pekerjaan(?:nya|ku)?(?: saya| sy)?(?: sebagai| adalah| jadi)?|profesi(?:nya)?(?: saya)?(?: sebagai| "
    r"adalah)?|"
    r"sebagai|sbg|jadi|menjadi|seorang|usaha|saya|sy|aku|gue|gua|suami|istri|bapak|ibu|ibuku|bapakku|suamiku|istriku|"
    r"nyambi|cuma|hanya|punya|buka|narik|dari|kulo|abdi|pak|tukang)\s*:?\s*$"
)
_REGION_CUE = re.compile(
    r"\b(?:di|ke|dari|asal|domisili|tinggal|daerah|wilayah|alamat(?:nya| saya)?|kota|kab|kabupaten|cabang|kantor|"
    r"kantor cabang|lahir|orang|warga|pindah|area|sekitar|neng|ing|nang|ti|dekat|deket)\s*[:.]?\s*(?:kota |kab\.? |"
    r"kabupaten )?$"
)
#: Names of regions that are everyday words too: taken in a sentence only after "di", "ke", "kota" and the like.
_EVERYDAY = frozenset(
    "batu palu batang buru bone malang serang medan banjar pati metro ende alor agam karo siak kaur sigi solok bima "
    "tegal dairi solo toba lebong sabang wates pare kuta parung menteng "
    "gambir tebet lembang sumber pancoran praya luwuk tual rangkas sawangan kijang cepu nias landak berau bangli "
    "ngada sikka malaka lebak nduga asmat mamasa bangka barru demak "
    "kembangan tambora banjaran gerung selong oki oku plk bsd ppu smd pdg plg ptk bpp mdo mks tng bgr nad pbd mlg mdn "
    "jogja_ sarmi raja sinjai wajo".split()
)
#: Counted nouns that belong to the count; others ("tukang", "sopir") begin the name of an occupation.
_PEOPLE = frozenset(
    "orang org oran pekerja karyawan pegawai teman temen anggota jiwa kepala peserta orangan wong jalma urang".split()
)
_DATE_NOISE = re.compile(
    r"\b(?:tadi|sekarang|skrg|skarang|saiki|barusan|ayeuna|td|tdi|skr|today|baru saja|baru aja|"
    r"brusan)\b"
)
_HOURS = re.compile(r"\b(?:jam|jm|pukul|pkl)\s*(?:(?:setengah|stengah|seperempat|kurang|lewat|lebih)\s*)?$")


def _numbers(folded: str, today: date, pieces: list[_Piece]) -> None:
    """NIK, KPJ and phone among the long numbers."""
    for run in digit_runs(folded, least=8):
        if run.spoiled:
            continue
        length = len(run.digits)
        before = folded[max(0, run.start - 40) : run.start]
        if length == NIK_DIGITS:
            nik = check_nik(run.digits, today=today)
            if isinstance(nik, Reading):
                pieces.append(_Piece("nik", str(nik.value), run.start, run.end, 0, nik.doubts))
            continue
        phone = read_run(run)
        if length == KPJ_DIGITS and not run.plus and (not isinstance(phone, Reading) or _nearest_is_card(before)):
            pieces.append(
                _Piece(
                    "kpj",
                    run.digits,
                    run.start,
                    run.end,
                    1,
                    ("looks_like_phone",) if isinstance(phone, Reading) else (),
                )
            )
        elif isinstance(phone, Reading) and _is_phone(run, before):
            start = run.start - 1 if run.plus and run.start and folded[run.start - 1] == "+" else run.start
            pieces.append(_Piece("phone", str(phone.value), start, run.end, 1, phone.doubts))


def _nearest_is_card(before: str) -> bool:
    """Whether the last cue before a number speaks of the membership card rather than of a telephone."""
    cards = [m.end() for m in _KPJ_CUE.finditer(before)]
    phones = [
        m.end() for m in re.finditer(r"\b(?:hp|hape|wa|whatsapp|telp|telpon|telepon|tlp|handphone|ponsel)\b", before)
    ]
    return bool(cards) and max(cards) > max(phones, default=-1)


def _is_phone(run: DigitRun, before: str) -> bool:
    return run.plus or run.digits.startswith(("08", "628", "0062")) or _PHONE_CUE.search(before) is not None


def _code_entity(folded: str, start: int, end: int) -> str:
    """Which of the three kinds of code: told by the nearest word before it, or else after it; a ticket when
    nothing tells.
    """
    before, after = folded[max(0, start - 40) : start], folded[end : end + 30]
    for text, last in ((before, True), (after, False)):
        places = [
            (m.end() if last else -m.start(), entity)
            for entity, cue in (("ticket_code", _TICKET_CUE), ("pledge_code", _PLEDGE_CUE), ("bill_code", _BILL_CUE))
            for m in cue.finditer(text)
        ]
        if places:
            return max(places)[1]
    return "ticket_code"


def _dates(folded: str, amounts: list[Amount], today: date, pieces: list[_Piece]) -> None:
    text = spelled(folded, amounts)
    for item in find_dates(text.text, today):
        if not isinstance(item.result, Reading):
            continue
        piece = text.text[item.start : item.end]
        if ("weekday_assumed" in item.result.doubts and "hari" not in piece) or _DATE_NOISE.fullmatch(piece.strip()):
            continue
        if _HOURS.search(text.text[: item.start]):
            continue
        start, end = text.origin(item.start, item.end)
        pieces.append(_Piece("date", str(item.result.value), start, end, 2, item.result.doubts))


def _is_age(folded: str, amount: Amount) -> bool:
    """Whether a number tells an age ("umur 45", "45 tahun" after a name): years are a duration only when
    something says so.
    """
    return _AGE_BEFORE.search(folded[: amount.start]) is not None


def _amounts(folded: str, tokens: tuple[Token, ...], every: list[Amount], pieces: list[_Piece]) -> None:
    """Money, spans of months and counts, each number in one of them at most."""
    amounts = [a for a in every if not _is_age(folded, a) and not _HOURS.search(folded[: a.start])]
    spans = spans_in(tokens, amounts)
    sums = [span for span in money_spans(tokens, amounts) if span.marked and _is_money(span, tokens, folded)]
    several = len({span.amount.value for span in sums}) > 1
    for money in sums:
        value = int(money.amount.value)
        near = (
            folded[max(0, money.start - 14) : money.start] + " " + folded[money.end : money.end + 22]
            if several
            else folded
        )
        doubts = (
            *period_doubts(near),
            *(("slang_sum",) if money.amount.slang else ()),
            *(("about",) if money.amount.about else ()),
        )
        pieces.append(_Piece("money", value, money.start, money.end, 3, doubts))
    for span in spans:
        if (
            span.months == int(span.months)
            and 0 < span.months <= MOST_MONTHS
            and _is_duration(span, tokens, folded, sums)
        ):
            pieces.append(
                _Piece("duration_months", int(span.months), span.start, span.end, 4, ("about",) if span.about else ())
            )
    for amount in amounts:
        noun = count_noun(tokens, amount)
        following = tokens[amount.after].text if amount.after < len(tokens) else ""
        if (
            amount.whole
            and amount.value > 0
            and not amount.vague
            and not amount.slang
            and amount.odd not in {"adjacent", "leading_zero"}
        ):
            if (
                noun is not None
                and following in COUNTED
                and following not in {"kartu", "unit", "paket", "lembar", "biji"}
            ):
                end = noun.end if following in _PEOPLE else amount.end
                pieces.append(
                    _Piece("count", int(amount.value), amount.start, end, 2, ("about",) if amount.about else ())
                )
            elif tokens[amount.first].text in {"selusin", "sekodi", "sepasang"} or tokens[amount.after - 1].text in {
                "lusin",
                "kodi",
            }:
                pieces.append(_Piece("count", int(amount.value), amount.start, amount.end, 4))


_GROUP = re.compile(r"\bber(?:dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|sepuluh)\b")


def _groups(folded: str, pieces: list[_Piece]) -> None:
    """ "kami bertiga": a count in one word."""
    for match in _GROUP.finditer(folded):
        pieces.append(_Piece("count", TOGETHER[match.group()], match.start(), match.end(), 4))


def _is_money(span: MoneySpan, tokens: tuple[Token, ...], folded: str) -> bool:
    amount = span.amount
    if (
        amount.vague
        or span.negative
        or not amount.value
        or not amount.whole
        or amount.value >= MOST_RUPIAH
        or amount.odd == "leading_zero"
    ):
        return False
    following = tokens[amount.after].text if amount.after < len(tokens) else ""
    if following in COUNTED and not folded[span.start : span.end].startswith("rp"):
        return False
    word = tokens[amount.first].text
    return not (word == "saban" or (amount.slang and amount.value < 50))


_DURATION_CUE = re.compile(
    r"\b(?:selama|untuk|buat|bayar|iuran|nunggak|tunggakan|nunggaknya|periode|jangka|"
    r"perpanjang|langsung|sekaligus|telat|kali|x|ambil|paket|donasi|nyumbang)\b"
)
#: After a bare "triwulan": it was the answer, not the quarter something is about.
_SAID_ALONE = re.compile(r"^\s*(?:aja|saja|aj|deh|dulu|sekaligus|kak|pak|bu|min|bayar(?:nya)?|mbayare)\b")
_AGO = re.compile(r"^\s*(?:yang |yg )?(?:lalu|kemarin|kemaren|silam|terakhir|depan|lagi|ke depan|sekali)\b")
_FREQUENCY = re.compile(r"\b(?:hari|kali|x|jam|minggu|rit|trip|sekali)\s*$")


def _is_duration(span: Span, tokens: tuple[Token, ...], folded: str, sums: list[MoneySpan]) -> bool:
    """Whether a span is a duration: not the period of a sum, not "lalu", not an age."""
    before, after = folded[: span.start], folded[span.end :]
    if _AGO.search(after) or _AGE_BEFORE.search(before):
        return False
    words = folded[span.start : span.end]
    single = tokens[span.first].text
    if _FREQUENCY.search(before) and single.startswith(("se", "sa", "per")):
        return False
    if span.sole_unit and not (_DURATION_CUE.search(before) or _SAID_ALONE.search(after)):
        return False
    if words in {"setahun", "sebulan"} or (
        span.months in {1, 12}
        and single in {"sebulan", "setahun", "satu", "1", "se", "sebln", "setaun", "sewulan", "sabulan"}
    ):
        for money in sums:
            if 0 <= span.start - money.end <= 14 and not re.search(
                r"\b(?:selama|untuk|buat|bayar)\b", folded[money.end : span.start]
            ):
                return False
            if (
                0 <= money.start - span.end <= 16
                and not re.search(r"[,;]|\b(?:iuran|bayar|total)\b", folded[span.end : money.start])
                and not re.search(r"\b(?:selama|untuk|bayar)\s*$", before)
            ):
                return False
        if _income_before(before):
            return False
    if re.search(r"(?:\bper|/|\btiap|\bsetiap)\s*$", before):
        return False
    years = re.search(r"\b(?:tahun|thn|th|taun)\b", words)
    return not (years and span.months >= 12 * 14 and not _DURATION_CUE.search(before))


def _income_before(before: str) -> bool:
    return (
        re.search(
            r"\b(?:penghasilan|gaji|pendapatan|dapat|dapet|upah|omzet|omset)(?:nya|an|ku)?(?: saya| sy)?\s*$", before
        )
        is not None
    )


def _programmes(folded: str, pieces: list[_Piece]) -> None:
    for match in _PROGRAMMES.finditer(folded):
        pieces.append(_Piece("programme", str(match.lastgroup).upper(), match.start(), match.end(), 3))


def _occupations(folded: str, pieces: list[_Piece]) -> None:
    found = []
    for item in find_occupations(folded):
        if (
            item.words in NEEDS_CUE
            and not _OCCUPATION_CUE.search(folded[: item.start])
            and item.end - item.start < len(folded.strip()) - 4
        ):
            continue
        if item.words in _MOSTLY_TALK and _USED_NOT_DONE.search(folded[: item.start]):
            continue
        found.append(item)
    for item in decisive(found):
        doubts = (item.occupation.doubt,) if item.occupation.doubt else ()
        pieces.append(_Piece("occupation", item.occupation.code, item.start, item.end, 5, doubts))


_USED_NOT_DONE = re.compile(r"\b(?:ke|sama|dengan|aplikasi|naik|pesan|order|panggil|orderan|lewat|di|via)\s+$")
_MOSTLY_TALK = frozenset(
    {
        ("gojek",),
        ("grab",),
        ("maxim",),
        ("ojek",),
        ("ojol",),
        ("becak",),
        ("angkot",),
        ("warung",),
        ("bengkel",),
        ("salon",),
        ("dokter",),
        ("bidan",),
        ("laundry",),
        ("kantin",),
    }
)


def _regions(text: str, folded: str, pieces: list[_Piece]) -> None:
    items: list[RegionFound] = []
    for item in find_regions(folded):
        if not item.codes or not (_is_place(item, folded) or _follows_work(item, text, pieces)):
            continue
        last = items[-1] if items else None
        if last is not None and last.codes == item.codes and folded[last.end : item.start].strip(" ,") in {"", "kota"}:
            items[-1] = replace(last, end=item.end, doubts=item.doubts)  # a quarter and its city are one place
        else:
            items.append(item)
    for item in items:
        if len(item.codes) == 1:
            pieces.append(_Piece("region", item.codes[0], item.start, item.end, 4, item.doubts))
        else:
            pieces.append(_Piece("region", "|".join(item.codes), item.start, item.end, 4, (*item.doubts, "twin")))


def _follows_work(item: RegionFound, text: str, pieces: list[_Piece]) -> bool:
    """Whether an everyday name is a place because it stands, with a capital, right after an occupation."""
    return text[item.start : item.start + 1].isupper() and any(
        piece.entity == "occupation" and piece.end == item.start - 1 for piece in pieces
    )


def _is_place(item: RegionFound, folded: str) -> bool:
    name = item.name
    if name.startswith(("kota ", "kab", "kota.")):
        return True
    if name in _EVERYDAY or len(name) <= 3:
        return _REGION_CUE.search(folded[: item.start]) is not None or name == folded.strip()
    return not _OF_A_DISH_OR_NAME.search(folded[: item.start])


_OF_A_DISH_OR_NAME = re.compile(
    r"\b(?:pak|bu|mas|mbak|nama|namanya|bang|kang|martabak|soto|sate|nasi|bakso|tahu|ayam|mie|pempek|rendang|"
    r"warung)\s+$"
)


def _without_taken_back(pieces: list[_Piece], folded: str) -> list[_Piece]:
    """`pieces` without values taken back: the last of its entity before an "eh" that another follows, and what
    "bukan" denies.
    """
    kept = [
        piece
        for piece in pieces
        if not (_NOT_THIS.search(folded[: piece.start]) and piece.entity not in {"occupation", "programme"})
    ]
    kept = [
        piece
        for piece in kept
        if not (
            piece.entity in {"occupation", "programme"}
            and re.search(r"\b(?:bukan|bkn|dudu|tanpa|tidak ikut|ga ikut|gak ikut)\s+$", folded[: piece.start])
        )
    ]
    for match in _TAKEN_BACK.finditer(folded):
        for entity in {piece.entity for piece in kept}:
            before = [p for p in kept if p.entity == entity and p.end <= match.start()]
            after = [p for p in kept if p.entity == entity and p.start >= match.end() - 1]
            if before and after and after[0].start - match.end() <= 30:
                kept.remove(before[-1])
    return kept


_SPAN_HINT = re.compile(r"bulan|bln|wulan|sasi|tahun|thn|taun|semester|kuartal|kwartal|quarter|mester|cawu")


def read_in_sentence(text: str, *, today: date) -> tuple[Found, ...]:
    """The values that `text` holds, in order of place, none overlapping another."""
    folded = fold(text)
    if not folded.strip():
        return ()
    pieces: list[_Piece] = []
    tokens = tokens_of(folded)
    has_digit = any(token.numeral for token in tokens) or any("0" <= char <= "9" for char in folded)
    if has_digit:
        for code, start, end in find_codes(folded):
            pieces.append(_Piece(_code_entity(folded, start, end), code, start, end, 0))
    amounts = amounts_in(tokens)[:MOST_NUMBERS]
    if has_digit or len(amounts) >= 5:
        _numbers(folded, today, pieces)
    _dates(folded, amounts, today, pieces)
    if amounts or _SPAN_HINT.search(folded):
        _amounts(folded, tokens, amounts, pieces)
    _groups(folded, pieces)
    _programmes(folded, pieces)
    for name in find_names(text[: len(folded)], folded):
        pieces.append(_Piece("person_name", name.value, name.start, name.end, name.rank, name.doubts))
    _occupations(folded, pieces)
    _regions(text, folded, pieces)
    chosen: list[_Piece] = []
    for piece in sorted(pieces, key=lambda p: (p.rank, p.start, -p.end)):
        if all(piece.end <= other.start or piece.start >= other.end for other in chosen):
            chosen.append(piece)
    chosen.sort(key=lambda p: p.start)
    found = [
        Found(p.entity, p.value, text[p.start : p.end], p.start, p.end, p.doubts)
        for p in _without_taken_back(chosen, folded)
    ]
    return tuple(dict.fromkeys(found))
