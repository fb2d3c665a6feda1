"""Regencies and cities by the names people give them. A name that a city and a regency share is never guessed."""

# ruff: noqa: SIM905  word lists are read and edited as text

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import after_retraction, fold
from nlu.values.near_words import NearWords
from nlu.values.reading import Reading, Refusal
from nlu.values.region_table import PROVINCES, REGIONS

_ALIASES = Path(__file__).resolve().parent.parent / "data_tables" / "region_aliases.csv"
_KINDS = {
    **dict.fromkeys(("kota", "kotamadya", "kodya", "kot", "kotamdya", "city", "kt"), "kota"),
    **dict.fromkeys(("kabupaten", "kab", "kabupten", "kabupatn", "kbupaten", "regency", "kabup"), "kab"),
}
_FULL_KIND = re.compile(r"^(Kota|Kabupaten)(?: Administrasi)? (.+)$")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_LONGEST = 5


@dataclass(frozen=True, slots=True)
class _Named:
    """What a name stands for: regency and city codes, or one province, or a part of one region."""

    codes: tuple[str, ...] = ()
    province: str | None = None
    district: bool = False


@dataclass(frozen=True, slots=True)
class RegionFound:
    """A region named in a text, by one code or several to choose from, or a province alone; positions in the
    folded text.
    """

    codes: tuple[str, ...]
    province: str | None
    start: int
    end: int
    name: str
    doubts: tuple[str, ...] = ()


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _kind_of(code: str) -> str:
    return "kota" if REGIONS[code].startswith("Kota") else "kab"


def _build() -> dict[str, _Named]:
    names: dict[str, _Named] = {_squeezed(name): _Named(province=code) for code, name in PROVINCES.items()}
    by_name: dict[str, list[str]] = {}
    for code, name in REGIONS.items():
        match = _FULL_KIND.match(name)
        bare = match.group(2) if match else name
        by_name.setdefault(_squeezed(bare), []).append(code)
    for bare, codes in by_name.items():
        province = names[bare].province if bare in names else None
        names[bare] = _Named(tuple(sorted(codes, key=lambda c: (_kind_of(c) != "kab", c))), province)
    with _ALIASES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key, codes = _squeezed(row["alias"]), row["codes"].split("|")
            if len(codes[0]) == 2:
                names.setdefault(key, _Named(province=codes[0]))
            elif key not in names or not names[key].codes:
                province = names[key].province if key in names else None
                names[key] = _Named(
                    tuple(sorted(codes, key=lambda c: (_kind_of(c) != "kab", c))), province, bool(row["district"])
                )
    names["yogyakarta"] = _Named(("34.71",), "34")
    for other in ("jogja", "yogya", "jogjakarta", "yogjakarta"):
        names[other] = _Named(("34.71",), "34")
    return names


_NAMES = _build()
_FIRSTS = frozenset(name[:3] for name in _NAMES)
_NEAR = NearWords(_NAMES, least=5)
_STOP = frozenset(
    "saya sy aku gue di dari ke tinggal domisili asal daerah wilayah rumah alamat kerja berada ada orang asli "
    "tinggalnya domisilinya asalnya sekarang skrg pak bu min kak ya iya "
    "mas mbak bang dong deh aja saja lah provinsi prov prop propinsi ktp kampung kelurahan kecamatan desa kel kec "
    "jalan jl indonesia itu yang yg kotanya kabupatennya lokasi sekitar "
    "di_kota nya sih kok tepatnya tepatnya_di tempat kediaman daerahnya wilayahnya deket dekat pinggiran neng ing "
    "nang".split()
)


@lru_cache(maxsize=4096)
def _key(word: str) -> str:
    return _squeezed(word)


def find_regions(folded: str) -> list[RegionFound]:
    """Regions and provinces named in `folded`, in order; the longest name at each place."""
    words = [(m.group(), m.start(), m.end()) for m in _WORD.finditer(folded)]
    found: list[RegionFound] = []
    i = 0
    while i < len(words):
        match = _longest_at(words, i, folded)
        if match is None:
            i += 1
            continue
        named, after = match
        start, end = words[i][1], words[after - 1][2]
        kind = None
        if i and words[i - 1][0] in _KINDS and len(folded[words[i - 1][2] : start].strip(" .")) == 0:
            kind, start = _KINDS[words[i - 1][0]], words[i - 1][1]
        elif i > 1 and words[i - 1][0] in {"adm", "administrasi"} and words[i - 2][0] in _KINDS:
            kind, start = _KINDS[words[i - 2][0]], words[i - 2][1]
        elif (
            after < len(words)
            and words[after][0] in _KINDS
            and not folded[end : words[after][1]].strip(" (,")
            and (after + 1 >= len(words) or _longest_at(words, after + 1, folded) is None)
        ):
            kind, end = _KINDS[words[after][0]], words[after][2]
            after += 1
        found.append(_with_kind(named, kind, start, end, folded))
        i = after
    return found


def _longest_at(words: list[tuple[str, int, int]], at: int, folded: str) -> tuple[_Named, int] | None:
    """The longest run of words from `at` that is a name, never across a comma or a full stop."""
    first = words[at][0]
    if _key(first)[:3] not in _FIRSTS and len(first) > 2:
        return None
    joined, best = "", None
    for j in range(at, min(at + _LONGEST, len(words))):
        if j > at and folded[words[j - 1][2] : words[j][1]].strip(" -'") not in ("", "."):
            break
        joined += _key(words[j][0])
        named = _NAMES.get(joined)
        if named is not None:
            best = (named, j + 1)
    return best


def _with_kind(named: _Named, kind: str | None, start: int, end: int, folded: str) -> RegionFound:
    name = folded[start:end]
    if not named.codes:
        return RegionFound((), named.province, start, end, name)
    doubts: tuple[str, ...] = ("district",) if named.district else ()
    codes = named.codes
    if kind is not None:
        fitting = tuple(code for code in codes if _kind_of(code) == kind)
        if fitting:
            return RegionFound(fitting, None, start, end, name, doubts)
        return RegionFound(codes, None, start, end, name, (*doubts, "kind_mismatch"))
    if named.province is not None:
        doubts = (*doubts, "province_same_name")
    return RegionFound(codes, named.province, start, end, name, doubts)


def _answer(found: RegionFound) -> Reading | Refusal:
    if not found.codes:
        province = found.province or ""
        return Refusal("province_only", {"province": province, "label": PROVINCES[province]})
    if len(found.codes) > 1:
        return Refusal(
            "twin", {"options": "|".join(found.codes), "labels": "|".join(REGIONS[code] for code in found.codes)}
        )
    code = found.codes[0]
    return Reading(code, found.doubts, {"label": REGIONS[code], "province": PROVINCES[code[:2]]})


def _misspelt(folded: str) -> RegionFound | None:
    """The one region whose name the whole answer nearly spells."""
    words = [word for word in _WORD.findall(folded) if word not in _STOP]
    kind = next((_KINDS[word] for word in words if word in _KINDS), None)
    joined = "".join(_key(word) for word in words if word not in _KINDS)
    near = _NEAR.nearest(joined)
    meant = {_NAMES[name] for name in near}
    if len(meant) != 1:
        return None
    found = _with_kind(meant.pop(), kind, 0, len(folded), folded)
    return RegionFound(found.codes, found.province, 0, len(folded), found.name, (*found.doubts, "spelling"))


def _chosen(found: list[RegionFound]) -> list[RegionFound]:
    """The regions that answer: provinces only count when no city or regency is named, parts only when nothing
    else is.
    """
    regencies = [item for item in found if item.codes and "district" not in item.doubts] or [
        item for item in found if item.codes
    ]
    regencies = [
        item
        for item in regencies
        if item.province is None
        or not any(other.codes[0][:2] == item.province and other.codes != item.codes for other in regencies)
    ]
    provinces = {item.province for item in found if not item.codes}
    if len(provinces) == 1:
        within = [item for item in regencies if all(code.startswith(str(next(iter(provinces)))) for code in item.codes)]
        regencies = within or regencies
    return regencies or found


def read_region(text: str) -> Reading | Refusal:
    """A regency or city as its code ("32.75"). Refused: a name that two share ("twin"), a province alone
    ("province_only").
    """
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = _read(tail)
        if isinstance(later, Reading) or later.reason == "twin":
            return later
    return _read(folded)


_CODE = re.compile(r"^\s*([0-9]{2})[. ]?([0-9]{2})\s*$")


def _read(folded: str) -> Reading | Refusal:
    typed = _CODE.match(folded)
    if typed is not None:
        code = f"{typed[1]}.{typed[2]}"
        if code in REGIONS:
            return Reading(code, (), {"label": REGIONS[code], "province": PROVINCES[code[:2]]})
        return Refusal("unclear")
    found = _chosen(find_regions(folded))
    if not found:
        near = _misspelt(folded)
        if near is not None:
            return _answer(near)
        if is_question(folded):
            return Refusal("question", attempt=False)
        return Refusal(
            "unknown" if is_unknown(folded) else "unclear",
            attempt=any(word in _KINDS for word in _WORD.findall(folded)),
        )
    if len({item.codes or item.province for item in found}) > 1:
        narrowed = _narrowed(found)
        return _answer(narrowed) if narrowed is not None else Refusal("two_answers")
    return _answer(found[0])


def _narrowed(found: list[RegionFound]) -> RegionFound | None:
    """ "bekasi kota bekasi": one mention that settles the open one before or after it."""
    single = [item for item in found if len(item.codes) == 1]
    if len({item.codes for item in single}) == 1 and all(
        set(single[0].codes) <= set(item.codes) for item in found if item.codes
    ):
        return single[0]
    return None
