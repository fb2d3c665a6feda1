"""Names of people as on the identity card: one word is complete, titles are left off, particles keep their place."""

# ruff: noqa: SIM905  word lists are read and edited as text

import re

from nlu.values.affirm import read_affirm_deny
from nlu.values.asking import is_question, is_unknown
from nlu.values.folding import MAX_CHARS, after_retraction, fold
from nlu.values.reading import Reading, Refusal

#: Longest name in characters, and most words: the civil registry allows 60 characters.
MOST_CHARS, MOST_WORDS, LEAST_CHARS = 60, 9, 2

_INTRODUCTION = re.compile(
    r"^(?:(?:halo|hai|hallo|assalamu'?alaikum|selamat (?:pagi|siang|sore|malam)|iya|ya|oke|ok|oh|eh|maaf|salah|bukan|"
    r"perkenalkan|kenalkan|kenalin|nih|ini|hmm)[\s,.!]+)*"
    r"(?:(?:(?:nama|nm|nma|name|jeneng|ngaran|nami|asma|jenenge|ngaranna)(?:(?:nya|ku|e|na|mu)|\s(?:nya|ku|e)(?=\s))?\b"
    r"(?:\s+(?:saya|sy|aku|gue|gua|gw|ane|kulo|kula|abdi|urang|lengkap|lengkapnya|lengkapku|asli|"
    r"aslinya|sesuai ktp|di ktp|ktp|pekerja|pekerjanya|almarhum|almarhumah|korban|peserta|ibu|bapak|istri|suami|anak|"
    r"anaknya|is)\b)*(?:\s*(?:adalah|yaitu|ialah|itu|is|yang benar|yg bener|yg benar|yang bener)\b)?)"
    r"|(?:saya|sy|aku|gue|gua|gw|ane|kulo|kula|abdi|panggil(?: aja| saja)?(?: saya)?|atas nama|a\.?n\.?|an|dengan|ini "
    r"dengan|ini)\b(?:\s+(?:bernama|namanya|adalah|dengan|dgn)\b)?)"
    r"\s*[:=]?\s*(?=\S)",
)
_CONFIRMING = re.compile(
    r"[\s,]+(?:ya|iya|pak|bu|min|kak|mas|mbak|mba|bang|om|admin|gan|bos|sis|dong|deh|nih|aja|"
    r"saja|sih|makasih|terima kasih|trims|kakak|lah|ajah|bu min|hehe|wkwk)[.!]*$"
)
_AFTER = re.compile(
    r"\s*(?:[,;\n(]|\b(?:umur|usia|alamat|nik|tinggal|kerja|pekerjaan|lahir|tempat|dari|nomor|hp|wa|tukang|yang kerja|"
    r"mau|ingin|pengen|dan saya|sesuai ktp|sesuai|di ktp)\b).*$",
    re.DOTALL,
)
_TITLES_BEFORE = frozenset(
    "pak bapak bpk bu ibu mas mbak mba bang abang kang teh neng ning cak gus tuan nyonya ny tn nn nona sdr sdri "
    "saudara saudari mr mrs ms om tante mbah kek dr drs dra "
    "ir prof h hj kh haji hajah hajjah ust ustad ustadz ustadzah kiai kyai alm almh almarhum almarhumah drg drh "
    "raden_ letkol".split()
)
_DEGREES = re.compile(
    r"[\s,]+(?:s\.?\s?(?:pd|pdi|pd\.?i|e|h|hi|kom|t|sos|sosi|ag|km|kep|ip|si|st|tp|p|pt|psi|farm|gz|ked|hum|ikom|"
    r"i\.?kom|akun|ak|sn|th|kel|keb|tr\.?\w*)|a\.?\s?md\.?\s?(?:kep|keb|kom)?|m\.?\s?(?:pd|pdi|m|h|si|kom|t|ag|kes|a|"
    r"b\.?a|hum|sc|kn|ak)|ph\.?d|dr|sp\.?\s?\w{1,3}|s\.?t|s\.?e|s\.?h|b\.?a|bsc|mm|mba)\.?(?=$|[\s,.])",
)
_SMALL_WORDS = frozenset({"bin", "binti", "van", "der", "de", "den", "al", "bt", "bte"})
_WORD_OK = re.compile(r"[^\W\d_]+(?:['.\-][^\W\d_]+)*\.?")
#: Words that make an answer something other than a name. Only ones that no Indonesian bears as a name.
_NOT_NAMES = frozenset(
    "mau ingin pengen pengin tanya nanya dulu daftar bayar iuran saldo cek bagaimana gimana gmn kenapa knp berapa brp "
    "apa apakah kapan mana dimana siapa tidak tdk gak ga gk nggak "
    "ngga enggak engga bukan belum blm bisa boleh sudah udah udh sdh kalau kalo karena karna untuk buat yang yg "
    "dengan tapi sama kamu anda lupa tau tahu nik ktp kartu nomor hp wa "
    "bpjs jamsostek ketenagakerjaan jkk jkm jht klaim komplain lapor batal cancel menu bantuan help tolong mohon halo "
    "hai hello hallo hi assalamualaikum terima kasih makasih "
    "selamat pagi siang sore malam iya ya ok oke okay sip siap betul benar bener setuju lanjut kembali ulang ulangi "
    "skip lewati lewat nanti besok kemarin kerja kerjaan pekerjaan tukang "
    "ojek ojol sopir supir pedagang petani nelayan kurir buruh jualan rupiah juta ribu jt rb bulan tahun hari minggu "
    "umur alamat petugas admin orang cs operator manusia robot bot "
    "tadi ini itu di ke dari ada aja saja dong deh sih kok loh rahasia nama namanya punya lagi jangan salah anjing "
    "bangsat babi goblok tolol kampret brengsek bego kontol "
    "memek ngentot tai taik asu jancok bajingan setan kecelakaan meninggal rumah sakit donasi sumbang pusing bingung "
    "ngapain kah ngerti paham maksud maksudnya banget sekali terus "
    "saya sy aku gue gua gw istri suami bapakku ibuku kandung gimanasih stop berhenti semua kantor alamatnya "
    "nomornya".split()
)


def _capitals(word: str, first: bool) -> str:
    lower = word.lower()
    if not first and lower in _SMALL_WORDS:
        return lower
    parts = re.split(r"([.\-])", lower)
    return "".join(part[:1].upper() + _after_apostrophe(part[1:]) for part in parts)


def _after_apostrophe(rest: str) -> str:
    """ "D'Angelo" keeps its second capital, "Ma'ruf" does not."""
    return "'" + rest[1:2].upper() + rest[2:] if rest.startswith("'") and len(rest) > 2 else rest


def _stripped(folded: str) -> tuple[int, int]:
    """Start and end of the name within `folded`, once introduction, titles, degrees and what follows are left off."""
    start, end = 0, len(folded)
    lead = re.match(r"\s+", folded)
    start = lead.end() if lead else 0
    match = _INTRODUCTION.match(folded[start:])
    if match is not None:
        start += match.end()
    cut = _DEGREES.search(folded, start)
    first_end = cut.start() if cut else end
    body = folded[start:first_end]
    after = _AFTER.search(body)
    if after is not None and after.start() > 0:
        body = body[: after.start()]
    while (tail := _CONFIRMING.search(body)) is not None and tail.start() > 0:
        body = body[: tail.start()]
    body = body.rstrip(" .,!;:-\"'\n\t")
    end = start + len(body)
    while True:
        match = re.match(r"\s*([^\W\d_]+)(?:\.\s*|\s+)(?=\S)", folded[start:end])
        if match is None or match.group(1) not in _TITLES_BEFORE:
            break
        start += match.end()
    while start < end and folded[start] in " \"'.,:;-(":
        start += 1
    return start, end


def name_in(text: str, folded: str) -> Reading | Refusal:
    """The name in `text`, whose folded form is given; both have the same length."""
    start, end = _stripped(folded)
    body = text[start:end]
    if not body.strip():
        return Refusal("too_short", attempt=False)
    if any(char.isdigit() for char in body):
        return Refusal("digits")
    words = body.split()
    plain = [fold(word).strip(".") for word in words]
    if is_question(folded):
        return Refusal("question", attempt=False)
    if any(word in _NOT_NAMES for word in plain) or is_unknown(folded):
        return Refusal("not_a_name", attempt=False)
    if not all(_WORD_OK.fullmatch(word) for word in words):
        return Refusal("bad_characters")
    if len(body) > MOST_CHARS or len(words) > MOST_WORDS:
        return Refusal("too_long", {"characters": str(len(body))})
    letters = sum(char.isalpha() for char in body)
    if letters < LEAST_CHARS:
        return Refusal("too_short", {"characters": str(letters)})
    if (letters > 3 and len(set(plain[0])) == 1 and len(words) == 1) or re.search(r"(.)\1{3,}", body.lower()):
        return Refusal("not_a_name")
    if len(words) == 1 and letters >= 5 and not re.search(r"[aeiouy]", plain[0]) and plain[0].isascii():
        return Refusal("not_a_name")
    if len(words) <= 2:
        answer = read_affirm_deny(body)
        if (
            isinstance(answer, Reading)
            and answer.value != "unclear"
            and all(word not in {"siti", "aman", "gelem", "bagus", "pas"} for word in plain)
        ):
            return Refusal("not_a_name", attempt=False)
    value = " ".join(_capitals(word, i == 0) for i, word in enumerate(words))
    return Reading(value, ("one_word",) if len(words) == 1 else ())


def read_person_name(text: str) -> Reading | Refusal:
    """A person's name with proper capitals; "nama saya", titles (Pak, H., Ir.) and degrees are left off."""
    text = " ".join(text[:MAX_CHARS].split())
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    if len(folded) != len(text):
        text = folded
    tail = after_retraction(folded)
    if tail is not None and tail.strip():
        later = name_in(text[len(folded) - len(tail) :], tail)
        if isinstance(later, Reading):
            return later
    return name_in(text, folded)
