"""enroll: a sign-up for oneself or for somebody else. It files an application; a row of ours insures nobody.

Facts behind the questions: domain.md 1 (who may join, age), 2 (amounts), 3.1 (fields, declaration).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Final, Literal, cast

from flows.calculate_contribution import amounts
from flows.flow import UNSET, Ask, Checked, Fill, Flow, Leave, Outcome, Pick, Rejected, View, said
from flows.format import long_date, mask_nik, mask_phone, month_year, rupiah, rupiah_long
from flows.income import income_steps
from flows.menu import introduction
from flows.model import Apply, Effect, Known, OpenTicket, RecordConsent, Say, Value
from flows.places import region_step
from flows.promises import first_word
from flows.rules.ages import ADULT_AGE, age_limit, is_under_18, is_young_enough_to_register
from flows.rules.contributions import (
    BASIC_PACKAGE,
    FULL_PACKAGE,
    Amount,
    Sector,
    bracket_for,
    total_for_months,
)
from flows.wording import plain
from flows.work_kinds import occupation_step
from nlu.understanding import Understanding
from nlu.values import Reading, Refusal, nik_facts
from nlu.values.occupations import OCCUPATIONS

CONSENT_PURPOSE: Final = "enrolment"
CONSENT_VERSION: Final = "2026-11"
_ABROAD: Final = frozenset({"telegram", "whatsapp"})
_MOST_MONTHS: Final = 12
_PAID_BY_OTHERS: Final = frozenset({"domestic", "social_other", "religion_edu"})
"""Groups of the occupation list in which many work for somebody else: the question stands."""
_RELATIVES: Final = {
    "parent": "bapak|bapa|bpk|ibu|ayah|emak|mamak|mama|papa|ortu|orang ?tua",
    "partner": "suami|istri|bini|bojo|laki",
    "family": "kakak|adik|adek|anak|nenek|kakek|paman|bibi|mertua|keponakan|saudara",
    "worker": "art|prt|pembantu|sopir|babysitter|tukang kebun|asisten",
    "neighbour": "tetangga|teman|temen|kawan",
}
_RELATIVE_WORDS: Final = tuple(word for words in _RELATIVES.values() for word in words.replace(" ?", " ").split("|"))
_FOR_OTHER: Final = {
    relation: re.compile(
        r"\b(daftar(in|kan|ke)|dftr(in|kan)|(mau|bantu|tolong) daftar|buat|untuk|utk|bantu(in)?) "
        rf"(\w+ )?({words})\b|\bdaftar(in|kan)\b.*\b({words}) (saya|sy|aku|gue|ku)\b|"
        rf"\b({words}) (saya|sy|aku|gue|ku) (yang |yg |mau |minta |pengen |ingin |bisa |perlu |tolong |belum )*"
        r"(di|ku)?daftar(kan|in)?\b"
    )
    for relation, words in _RELATIVES.items()
}


_PLAIN_CONSENT: Final = re.compile(
    r"\b(y|ya+h?|iya+|iye|iyo|yes|yoi|yup|ok|oke\w*|okay|sip|siap|setuju|boleh|bisa|mau|lanjut\w*|gas\w*|"
    r"sil[ai]h?kan|sudah|betul|benar|bener|nggih|enggih|njih|enya|muhun|mangga|monggo|bersedia|gpp|1|satu)\b"
)
_PLAIN_REFUSAL: Final = re.compile(
    r"^(saya |sy |aku |kalau begitu |maaf |ah )*"
    r"(tidak|tdk|nggak|ngga|enggak|engga|gak|ga|gk|g|ndak|ora|mboten|moal|teu|no|nope|jangan|gamau|gakmau|ogah|emoh|"
    r"males|belum|blm|batal|tolak|menolak|2|dua)\b(?! (ngerti|mudeng|paham|tau|tahu|jelas|punya|ada|bisa)\b)"
)
"""What agrees to the keeping of data, and what refuses it: nothing else is taken for either."""


_OWN_WORKER: Final = re.compile(r"\b(pekerja|pegawai|karyawan|anak buah)(ku| (saya|sy|aku|gue))\b")


def _for_other(view: View) -> bool:
    return view.slots.get("for_whom") == "other"


def _prefill(_: View, understanding: Understanding) -> Mapping[str, Value]:
    """Somebody who writes of a parent or a helper in the first breath is not asked for whom it is."""
    words = plain(understanding.text)
    related = [relation for relation, pattern in _FOR_OTHER.items() if pattern.search(words)]
    if "daftar" in words and _OWN_WORKER.search(words):
        related = ["worker"]
    return {"for_whom": "other", "relation": related[0]} if len(related) == 1 else {}


# ── checks ───────────────────────────────────────────────────────────────────────────────────────


def _check_consent(view: View, value: Value, _: Reading | None) -> Checked:
    recorded = RecordConsent(CONSENT_PURPOSE, CONSENT_VERSION, given=value is True)
    understanding = view.turn.understanding
    words = plain(understanding.text) if understanding else ""
    if words and not (_PLAIN_CONSENT if value is True else _PLAIN_REFUSAL).search(words):
        return Rejected("enroll/consent_unclear")
    if value is True:
        return Fill({"consent": True}, (recorded,))
    return Leave((Say("enroll/consent_refused"),), (recorded,))


def _check_for_whom(view: View, value: Value, _: Reading | None) -> Checked:
    """ "Buat emak" says both for whom and who that is."""
    understanding = view.turn.understanding
    said_words = plain(understanding.text) if understanding else ""
    related = [name for name, words in _RELATIVES.items() if re.search(rf"\b({words})\b", said_words)]
    if _OWN_WORKER.search(said_words):
        related = ["worker"]
    if value == "other" and len(related) == 1 and "relation" not in view.slots:
        return Fill({"for_whom": value, "relation": related[0]})
    return Fill({"for_whom": value})


def _check_told(_: View, value: Value, __: Reading | None) -> Checked:
    if value is True:
        return Fill({"other_told": True})
    return Leave((Say("enroll/tell_them_first"),))


def _check_livelihood(_: View, value: Value, __: Reading | None) -> Checked:
    if value == "wage":
        return Leave(
            (Say("enroll/wage_earner"),),
            then="file_complaint",
            then_slots={"complaint_category": "company_not_registering"},
        )
    return Fill({"livelihood": value})


def _livelihood_of_work(view: View, _: Refusal) -> Fill | None:
    """Somebody who answers with a trade of their own has said how they work."""
    understanding = view.turn.understanding
    named = [entity for entity in understanding.entities if entity.entity == "occupation"] if understanding else []
    if len(named) != 1:
        return None
    trade = OCCUPATIONS[str(named[0].value)]
    if trade.doubt or trade.group in _PAID_BY_OTHERS:
        return None
    return Fill({"livelihood": "own", "occupation": trade.code, "sector": trade.sector})


def _check_nik(view: View, value: Value, _: Reading | None) -> Checked:
    facts = nik_facts(str(value), today=view.today)
    too_old = not is_young_enough_to_register(facts.birth_date, view.today)
    if (too_old or is_under_18(facts.birth_date, view.today)) and "age_doubted" not in view.slots:
        # One wrong digit makes somebody a child or very old: it is read once more before anybody is sent away.
        doubt = Say("enroll/age_doubted", {"birth": long_date(facts.birth_date)})
        return Fill({"nik": UNSET, "age_doubted": True}, (doubt,))
    if too_old:
        args = {"birth": long_date(facts.birth_date), "limit": str(age_limit())}
        return Leave((Say("enroll/too_old", args),))
    if is_under_18(facts.birth_date, view.today):
        code = view.fresh_code()
        promise = first_word(view)
        words = view.opening or view.copy.label("label/task_enroll")
        ticket = OpenTicket(code, "enroll_minor", words, promised=promise.until, due=promise.day)
        return Leave(
            (Say("enroll/under_age", {"code": code, "day": promise.told, "adult": str(ADULT_AGE)}),), (ticket,)
        )
    return Fill({"nik": value})


def _check_nik_right(view: View, value: Value, _: Reading | None) -> Checked:
    if value is True:
        return Fill({"nik_right": True})
    return Fill({"nik": UNSET}, (Say("enroll/nik_again"),))


def _check_workers(_: View, value: Value, __: Reading | None) -> Checked:
    if value is True:
        return Fill({"employs": True, "programme": list(_sorted(FULL_PACKAGE))}, (Say("enroll/employer_jht"),))
    return Fill({"employs": False})


def _check_months(_: View, value: Value, __: Reading | None) -> Checked:
    if isinstance(value, int) and 1 <= value <= _MOST_MONTHS:
        return Fill({"duration_months": value})
    return Rejected("enroll/too_many_months")


def _check_same_phone(view: View, value: Value, _: Reading | None) -> Checked:
    if value is True:
        return Fill({"same_phone": True, "phone": view.turn.sender.phone})
    return Fill({"same_phone": False})


def _other_phone(view: View, _: Refusal) -> Fill | None:
    """Another number given outright is the answer."""
    understanding = view.turn.understanding
    phones = [entity.value for entity in understanding.entities if entity.entity == "phone"] if understanding else []
    return Fill({"same_phone": False, "phone": phones[0]}) if len(phones) == 1 else None


def _check_declaration(view: View, value: Value, _: Reading | None) -> Checked:
    understanding = view.turn.understanding
    if value is False and understanding and _IN_HOSPITAL.search(understanding.text.lower()):
        return Leave((Say("enroll/not_declared"),))
    return Fill({"declaration": value})


def _not_declared(view: View) -> bool:
    return view.slots.get("declaration") is False


def _check_why_not(_: View, value: Value, __: Reading | None) -> Checked:
    """A no may be about the data, which the read-back mends, or about lying in hospital, which ends it."""
    if value == "ill":
        return Leave((Say("enroll/not_declared"),))
    return Fill({"declaration": True, "why_not_declared": value}, (Say("enroll/mend_now"),))


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


def _sorted(programmes: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in ("JKK", "JKM", "JHT") if name in programmes)


def _nik_args(view: View) -> Mapping[str, str]:
    facts = nik_facts(view.text("nik"), today=view.today)
    return {
        "nik": mask_nik(view.text("nik")),
        "birth": long_date(facts.birth_date),
        "sex": view.copy.label(f"label/{facts.sex}"),
    }


def _sector(view: View) -> str:
    return "employer" if view.slots.get("employs") is True else view.text("sector") or "other"


_IN_HOSPITAL: Final = re.compile(r"\b(dirawat|d?i?opname|rawat inap|rumah sakit|rs|icu)\b")
_BASIC_WORDS: Final = said(
    "dua, paling murah, murah, tanpa jht, tanpa tabungan, gak pake jht, gak pake tabungan, gak mau jht, "
    "tidak pakai jht, tidak pakai tabungan, ga pake jht, ga pake tabungan, ga mau jht, jkk jkm"
)
_FULL_WORDS: Final = said("tiga, semua, lengkap, pakai jht, pake jht, tabungan, jht")


def _packages(_: View) -> tuple[Pick, ...]:
    return (
        Pick(list(_sorted(BASIC_PACKAGE)), "package_basic", _BASIC_WORDS),
        Pick(list(_sorted(FULL_PACKAGE)), "package_full", _FULL_WORDS),
    )


def _package_args(view: View) -> Mapping[str, str]:
    two, three = amounts(bracket_for(view.number("money")), view.text("sector") or "other", view.today)
    return {"two": rupiah(two.total), "three": rupiah(three.total)}


def _show_programmes(_: View, value: Value) -> str:
    return ", ".join(value) if isinstance(value, list) else ""


def _first_month(view: View) -> date:
    return view.today.replace(day=1)


def _cost(view: View) -> tuple[int, tuple[Amount, ...]]:
    """What the chosen months cost together, and each of them. Whole rupiah."""
    programmes = frozenset(cast(list[str], view.slots["programme"]))
    total, months = total_for_months(
        bracket_for(view.number("money")),
        programmes=programmes,
        sector=cast(Sector, _sector(view)),
        first_month=_first_month(view),
        months=view.number("duration_months"),
    )
    return total, months


def _show_months(view: View, value: Value) -> str:
    if not {"programme", "money", "occupation"} <= view.slots.keys():
        return view.copy.label("label/months_plain", months=str(value))
    total, amounts_by_month = _cost(view)
    spans = "; ".join(_span(same) for same in _runs(amounts_by_month))
    return view.copy.label("label/months_cost", months=str(value), spans=spans, total=rupiah_long(total))


def _runs(months: tuple[Amount, ...]) -> list[list[Amount]]:
    """Months in a row that cost the same: a discount may end on the way."""
    return [list(same) for _, same in groupby(months, key=lambda month: month.total)]


def _span(months: list[Amount]) -> str:
    """`November – Desember 2026 Rp15.400 sebulan`."""
    first, last = months[0].month, months[-1].month
    told = month_year(last) if first == last else f"{month_year(first)} – {month_year(last)}"
    return f"{told} {rupiah(months[0].total)} sebulan"


def _months(_: View) -> tuple[Pick, ...]:
    return tuple(Pick(months, f"months_{months}", words) for months, words in _MONTH_WORDS)


_MONTH_WORDS: Final = (
    (1, ("sebulan", "satu", "1 bulan", "bulanan")),
    (3, ("tiga", "3 bulan")),
    (6, ("enam", "setengah tahun", "6 bulan", "semester")),
    (12, ("setahun", "satu tahun", "dua belas", "12 bulan")),
)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────


def finish(view: View) -> Outcome:
    """Files the application, and says plainly that it insures nobody yet."""
    facts = nik_facts(view.text("nik"), today=view.today)
    code = view.fresh_code()
    application = Apply(
        code=code,
        nik=view.text("nik"),
        name=view.text("person_name"),
        birth_date=facts.birth_date,
        sex=facts.sex,
        region=view.text("region"),
        occupation=view.text("occupation"),
        sector=view.text("sector"),
        employer=view.slots.get("employs") is True,
        income=view.number("money"),
        programmes=tuple(cast(list[str], view.slots["programme"])),
        months=view.number("duration_months"),
        monthly_amount=_cost(view)[1][0].total,
        phone=view.text("phone"),
        phone_owner=view.text("phone_owner") or "self",
        for_whom=view.text("for_whom"),
        relation=view.text("relation"),
        consent_version=CONSENT_VERSION,
        declared_at=view.turn.now,
    )
    told = Say("enroll/submitted", {"code": code, "day": first_word(view).told})
    effects: tuple[Effect, ...] = (application, told, Say("enroll/not_covered_yet"))
    return Outcome(effects, known=_known(view, facts.sex))


def _known(view: View, sex: Literal["male", "female"]) -> Known:
    """Somebody who signs up for another stays who they were."""
    if _for_other(view):
        return view.known
    return Known(view.text("person_name"), sex, view.text("region"))


def _has_own_phone(view: View) -> bool:
    return view.turn.sender.phone is not None


def _asks_phone(view: View) -> bool:
    return "phone" not in view.slots and (not _has_own_phone(view) or "same_phone" in view.slots)


def _has_not_agreed(view: View) -> bool:
    return view.consents.get(CONSENT_PURPOSE) != CONSENT_VERSION


def _independent(view: View) -> bool:
    return view.slots.get("livelihood") != "household"


def _needs_package(view: View) -> bool:
    return view.slots.get("employs") is not True


def _phone_args(view: View) -> Mapping[str, str]:
    return {"phone": mask_phone(view.turn.sender.phone or "")}


def _consent_args(view: View) -> Mapping[str, str]:
    """Where messages pass through somebody's servers abroad, that is said."""
    abroad = view.turn.sender.channel in _ABROAD
    return {"transit": f"{view.copy.label('label/transit_abroad')}\n" if abroad else ""}


def _declared_args(view: View) -> Mapping[str, str]:
    household = view.slots.get("livelihood") == "household"
    return {**_reader_args(view), "works": view.copy.label("label/works_household" if household else "label/works_own")}


def _reader_args(view: View) -> Mapping[str, str]:
    """Who is spoken of: the person at the phone, or the one they help."""
    return {"whose": view.copy.label("label/whose_other" if _for_other(view) else "label/whose_self")}


_FOR_WHOM: Final = (
    Pick("self", "for_self", said("saya, sendiri, diri, aku, gue, saya sendiri")),
    Pick("other", "for_other", (
        "orang lain", "bukan saya", "bukan buat saya",
        *(f"{word} {whose}" for word in ("pekerja", "pegawai", "karyawan", "anak buah")
          for whose in ("saya", "aku", "gue", "sy")),
        *(f"{word}{whose}" for word in _RELATIVE_WORDS for whose in ("", " saya", " aku", " gue", " sy")))),
)  # fmt: skip
_RELATIONS: Final = (
    Pick("parent", "relation_parent", said("bapak, ibu, ayah, emak, mama, papa, ortu, orang tua, bapake, mamak")),
    Pick("partner", "relation_partner", said("suami, istri, bini, bojo, laki")),
    Pick("family", "relation_family", said(
        "anak, kakak, adik, adek, paman, bibi, saudara, keponakan, nenek, kakek, mertua")),
    Pick("worker", "relation_worker", said(
        "art, pembantu, sopir, pekerja, karyawan, asisten, tukang kebun, babysitter")),
    Pick("neighbour", "relation_neighbour", said("tetangga, teman, temen, kawan, langganan, rekan, pacar, bos")),
)  # fmt: skip
_LIVELIHOODS: Final = (
    Pick("own", "livelihood_own", said(
        "sendiri, usaha, jualan, dagang, wiraswasta, mandiri, ojek, ojol, nelayan, petani, serabutan, lepas, mitra")),
    Pick("household", "livelihood_household", said(
        "rumah tangga, rumah orang, art, prt, pembantu, majikan, babysitter, asisten")),
    Pick("wage", "livelihood_wage", said(
        "perusahaan, pabrik, pt, kantor, karyawan, pegawai, gajian, bos, toko orang, digaji")),
)  # fmt: skip
_TOLD: Final = (
    Pick(
        True, "yes", said("dia yang minta, yang minta, tau kok, tahu kok, udah tau, sudah tau, sudah tahu, udah bilang")
    ),
    Pick(False, "no", said("nanti saya bilang, nanti aku bilang, nanti bilang, belum bilang, belum tau, belum tahu")),
)
_NAME_WORDS: Final = ("nama lengkap", "nama", "namanya", "nm", "lengkapnya")
_EMPLOYS: Final = (Pick(False, "no", said("sendirian, kerja sendiri, sendiri aja, sendiri saja")),)
_SAME_PHONE: Final = (
    Pick(True, "yes", said("hp ini, nomor ini, wa ini, yang ini, ini wa saya, ini nomor saya")),
    Pick(False, "no", said("nomor lain, hp lain, yang lain, beda nomor, ganti nomor")),
)
_DECLARED: Final = (
    Pick(True, "yes", (
        "sehat", "sehat walafiat",
        *(f"{no} {now}{ill}" for no in ("gak", "ga", "nggak", "tidak") for now in ("lagi ", "sedang ", "")
          for ill in ("dirawat", "opname", "sakit")))),
    Pick(False, "no", said("lagi dirawat, sedang dirawat, lagi opname, masih opname, sedang sakit keras")),
)  # fmt: skip
_WHY_NOT: Final = (
    Pick("data", "why_not_data", said("data, salah, keliru, belum benar")),
    Pick("ill", "why_not_ill", said("dirawat, opname, rumah sakit, rs, sakit")),
)
_PHONE_OWNERS: Final = (
    Pick("applicant", "phone_applicant", said("dia, beliau, sendiri, orangnya, bapak, ibu")),
    Pick("helper", "phone_helper", said("saya, aku, punya saya, hp saya")),
)

ENROLL = Flow(
    name="enroll",
    read_back=True,
    whose="for_whom",
    prefill=_prefill,
    finish=finish,
    begin=lambda view: ({}, (Say("enroll/intro", {"who": introduction(view)}),)),
    steps=(
        Ask("consent", "yes_no", when=_has_not_agreed, check=_check_consent, args=_consent_args),
        Ask("for_whom", "pick", picks=lambda _: _FOR_WHOM, check=_check_for_whom,
            clears=("relation", "other_told", "phone_owner")),
        Ask("relation", "pick", when=_for_other, picks=lambda _: _RELATIONS, label="relation", names=("hubungan",)),
        Ask("other_told", "yes_no", when=_for_other, picks=lambda _: _TOLD, check=_check_told),
        Ask("livelihood", "pick", picks=lambda _: _LIVELIHOODS, check=_check_livelihood, args=_reader_args,
            refused=_livelihood_of_work),
        Ask("nik", "nik", check=_check_nik, entity="nik", show=lambda _, nik: mask_nik(str(nik)), form=True,
            names=("nik", "ktp", "no ktp", "nomor ktp"), label="nik", clears=("nik_right",), args=_reader_args),
        Ask("nik_right", "yes_no", check=_check_nik_right, args=_nik_args, counted=False),
        Ask("person_name", "person_name", entity="person_name", names=_NAME_WORDS, label="name",
            args=_reader_args),
        region_step(_reader_args),
        occupation_step(),
        Ask("employs", "yes_no", when=_independent, picks=lambda _: _EMPLOYS, check=_check_workers,
            clears=("programme",)),
        *income_steps(),
        Ask("programme", "pick", when=_needs_package, picks=_packages, args=_package_args, show=_show_programmes,
            names=("program", "paket", "programnya", "paketnya"), label="programme"),
        Ask("duration_months", "duration_months", picks=_months, check=_check_months, entity="duration_months",
            show=_show_months, names=("bulan", "lama", "berapa bulan"), label="months"),
        Ask("same_phone", "yes_no", when=_has_own_phone, picks=lambda _: _SAME_PHONE, check=_check_same_phone,
            refused=_other_phone, args=_phone_args, counted=False),
        Ask("phone", "phone", when=_asks_phone, entity="phone", show=lambda _, phone: mask_phone(str(phone)),
            names=("hp", "nomor hp", "no hp", "telepon", "telpon", "wa", "nomor wa", "handphone"), label="phone"),
        Ask("phone_owner", "pick", when=_for_other, picks=lambda _: _PHONE_OWNERS),
        Ask("declaration", "yes_no", picks=lambda _: _DECLARED, check=_check_declaration, args=_declared_args),
        Ask("why_not_declared", "pick", when=_not_declared, picks=lambda _: _WHY_NOT, check=_check_why_not,
            counted=False),
    ),
)  # fmt: skip
