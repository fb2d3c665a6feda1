"""Yes, no or unclear, in the words people answer with.

"belum", "salah" and "bukan" are no. A yes with a change in it, a question and a guess ("kayaknya sih") are unclear.
"""

# ruff: noqa: SIM905  word lists are read and edited as text

import re

from nlu.values.folding import fold, unstretch
from nlu.values.reading import Reading, Refusal

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\s\w]")

_STRONG_YES = frozenset(
    "ya iya iy y yaa iyaa iyah yah yaps yap yup yep yes yess yoi yo yoa yoman iyo iyoo iyes ok oke okey okay okeh "
    "okee oks okei okelah okedeh okd oky sip siip "
    "sipp siap siapp siyap betul btul btl betol benar bener bnr bnar setuju stuju inggih nggih njih injih enggih geh "
    "muhun sumuhun enya leres "
    "leureus heeh he'eh hooh ho'oh heem hem-eh yaudah yaudahlah yoweslah yowes yawes iyalah iyadong yadong yuk yuks "
    "ayo ayok hayu hayuk hayo gas "
    "gass gaskeun gasskeun gaspol lanjut lanjutkan lanjutin lanjot lanju next acc deal cocok sesuai tepat sah valid "
    "bersedia yakin tentu pasti "
    "jelas silakan silahkan monggo mangga sumangga true yeah yea sure correct right absolutely agree affirmative "
    "gapapa gpp gapape gakpapa nggakpapa "
    "rapopo rapapa teuing_ konfirmasi sepakat ikhlas diterima terima uhuy asiap sudahbenar kirim kirimkan proses "
    "diproses daftarkan simpan asyiap ehem hehem hiih iye iyek iyeh olo ido bah_ njek enggeh nggeh".split()
)
_WEAK_YES = frozenset(
    "mau pengen pingin boleh bole bisa jadi ada punya sudah udah udh sdh sampun wis uwis wes atos pernah pas mantap "
    "mantab aman setujui pake pakai "
    "hadir izin ijin ikut gelem kersa daek hayang purun kerso pengin suka "
    "baik baiklah bae bagus oce good".split()
)
_NO = frozenset(
    "tidak tdk tdak tidk tida tak ga gak gk g nggak ngga nggk gag gakk enggak engga enggk engak nda ndak ndek ndk "
    "kagak kaga kgk kga no nope nop not never "
    "bukan bkn bukn bukanlah belum blm blom belom blum durung durong acan tacan encan salah slh jangan jgn jangn ora "
    "ra ogah mboten boten moh emoh wegah "
    "henteu teu heunteu moal alim batal batalkan batalin cancel keliru kliru false ngaco nehi gamau gakmau ngakmau "
    "tolak menolak stop ojo ulah "
    "hapus urung gajadi gakjadi nggakjadi ogahlah tidaklah gaklah nolak "
    "indak ndaklah idak alun kada kadada kadak daong ndang tena taena njeng sanes dede dudu".split()
)
_NOT = _NO - frozenset(
    "no nope nop salah slh batal batalkan batalin cancel keliru kliru false ngaco gamau gakmau tolak menolak stop "
    "hapus urung gajadi gakjadi nolak".split()
)
_WRONG = frozenset(
    "salah slh keliru kliru masalah mslh apa apaapa apa2 papa pa pape popo keberatan kenapa napa "
    "masyalah problem soal".split()
)
_FILLERS = frozenset(
    "pak bu bpk ibu bapak min admin kak kakak mas mbak mba bang abang bos boss gan sis teh kang om tante dek de deh "
    "dong donk sih kok kan lah loh lho ah "
    "oh o eh hm hmm hmmm nah lha nih tuh itu ini aja saja aj ajah banget bgt sekali skali semua smua semuanya smuanya "
    "data datanya ny nya pun "
    "sudah udah udh sdh makasih mksh makasi terimakasih kasih trims thanks thx tq suwun nuhun tolong mohon halo hai "
    "permisi maaf mf sorry "
    "wkwk wkwkwk haha hehe xixi hihi alhamdulillah bismillah saya sy aku gue gw kulo abdi kami yg yang memang emang "
    "mmg".split()
)
_HEDGE = re.compile(
    r"\b(?:kaya(?:k|ke)?ny?a|kyknya|kykny|kyanya|kaya'?e|mungkin|mgkn|sepertinya|spertinya|sptnya|keliatannya|"
    r"kelihatannya|kynya|ragu|bingung|"
    r"entah|terserah|trserah|trsrh|gimana ya|gmn ya|bisa jadi|kali ya|kali|barangkali|nanti (?:dulu|aja|saja|deh|"
    r"dipikir|lihat|liat)|ntar (?:dulu|aja|deh)|"
    r"pikir-?pikir|pikir dulu|mikir|insya ?allah|insyaallah|inshaallah|in sha allah|belum yakin|kurang yakin|ga yakin|"
    r"gak yakin|nggak yakin|tidak yakin|"
    r"kurang tau|kurang tahu|agak|setengah|lumayan|kurang ngerti|kurang paham|maybe|perhaps|antara|tergantung|tunggu|"
    r"bentar|sebentar|sik|(?:ga|gak|gk|nggak|ngga|enggak|tidak|ndak|ora) juga|"
    r"dulu(?:nya)? (?:sih )?(?:ada|punya|ikut|aktif))\b"
)
_UNKNOWN = re.compile(
    r"\b(?:ga|gak|gk|g|nggak|ngga|enggak|engga|tidak|tdk|tak|ndak|kagak|ora|teu|belum|blm) ?(?:tau|tahu|ngerti|paham|"
    r"inget|ingat|pasti|tentu|jelas|mudeng|yakin)\b"
    r"|\b(?:gatau|gatahu|gaktau|embuh|mbuh|lupa|duka|teuing)\b"
)
_CHANGE = re.compile(
    r"\b(?:tapi|tpi|tp|cuma|cuman|cm|cmn|cmiiw|kecuali|namun|hanya|ganti|diganti|gantiin|ubah|diubah|ubahin|rubah|"
    r"dirubah|harusnya|seharusnya|koreksi|dikoreksi|"
    r"ralat|revisi|mestinya|kudune|asal|asalkan|kalau|kalo|klo|minus|ditambah|tambah|tambahin|dikurangi|kurang|"
    r"nanging|ning|ngan|selain|sebagian|"
    r"but|except|jadi(?:kan|nya|in))\b|\bada yang (?:salah|kurang|beda|keliru)\b|\bada yg (?:salah|kurang|beda|"
    r"keliru)\b"
)
_QUESTION = re.compile(
    r"\?|\b(?:kenapa|knp|knapa|berapa|brp|gimana|gmn|bagaimana|apakah|apaan|kapan|siapa|dimana|di mana|maksud(?:nya)?|"
    r"mksd(?:nya)?|emangnya|memangnya|"
    r"buat apa|untuk apa|yang mana|yg mana|tanya|nanya|kok bisa|itu apa|apa itu|apa ya|apa sih|apa maksud|kumaha|piye|"
    r"bedanya)\b"
    r"|\b(?:bisa|boleh|bole|jadi|bener|benar|betul|mau|aman|perlu|harus|wajib|ada|udah|sudah|udh|sdh)\s+(?:apa "
    r")?(?:ga|gak|gk|nggak|ngga|enggak|tidak|kah|blm|belum|ora)(?:\s+(?:ya|sih|nih|pak|bu|min|kak))*\s*$"
    r"|\b(?:ya|iya) (?:ga|gak|nggak) sih\b"
)
_FINE = re.compile(
    r"\b(?:ga|gak|gk|g|nggak|ngga|enggak|engga|tidak|tdk|tak|ndak|ora|teu|kagak|ra)\s*(?:apa[- ]?apa|apa2|papa|pa[- "
    r"]?pa|pape|popo|masalah|mslh|keberatan|"
    r"ada masalah|ada yang salah|ada yg salah|ada yang keliru|ada salah|salah|slh|keliru|ada kesalahan|ada yang perlu "
    r"(?:diubah|diganti|dikoreksi)|"
    r"ada yang (?:diubah|diganti|dikoreksi|kurang)|ada koreksi|ada perubahan|perlu diubah|kurang apa-apa|ada lagi "
    r"yang diubah)\b"
    r"|\bno problem\b|\bnaon-naon\b|\b(?:teu|henteu) nanaon\b"
)
_FINE_WORD = " setuju "
_BY_SIGN = {
    "👍": "yes", "👌": "yes", "✅": "yes", "✔": "yes", "☑": "yes", "🆗": "yes", "🙆": "yes", "💯": "yes", "🤝": "yes",
    "🫡": "yes",
    "👎": "no", "❌": "no", "✖": "no", "🙅": "no", "🚫": "no", "⛔": "no", "❎": "no",
    "🤔": "unclear", "🤷": "unclear", "😕": "unclear", "❓": "unclear", "🙏": "thanks",
}  # fmt: skip
_OPENING = frozenset("ya iya iy y yaa yah oh o eh lah lha nah loh lho ah wah aduh hm hmm ok oke yo".split())
_EXCLAMATION = re.compile(
    r"\b(?:ya|yaa|y) (?:ampun|allah|alloh|tuhan|gusti|rabb|elah|salam)\b|\b(?:ya ?gitu|gitu deh|"
    r"gitu lah)\b"
)
_MOST_WORDS_WEAK = 5


def _polarity(words: list[str]) -> tuple[list[str], bool]:
    """The yes and no words in order after negation is worked out ("tidak setuju" is one no), and whether the
    first opens the text.
    """
    signs: list[str] = []
    opens = False
    content = 0
    i = 0
    while i < len(words):
        word = words[i]
        following = words[i + 1] if i + 1 < len(words) else ""
        sign = ""
        if word in _NOT and following in _WRONG and word not in {"jangan", "bukan", "belum"}:
            sign, i = "yes", i + 1
        elif word in _NOT or word in _NO:
            sign = "no"
            if following in _STRONG_YES or following in _WEAK_YES:
                i += 1
            elif (
                following in _FILLERS
                and i + 2 < len(words)
                and words[i + 2] in (_STRONG_YES | _WEAK_YES)
                and following not in {"deh", "makasih", "ah"}
            ):
                i += 2 if following in {"yang", "yg", "itu", "semua", "saya"} else 0
        elif word in {"kurang", "krg"} and following in {
            "tepat",
            "pas",
            "benar",
            "bener",
            "sesuai",
            "cocok",
            "setuju",
            "betul",
        }:
            sign, i = "no", i + 1
        elif word in _STRONG_YES:
            sign = "yes"
        elif word in _WEAK_YES:
            sign = "weak"
        if sign:
            if not signs:
                opens = content <= 1
            signs.append(sign)
        elif word not in _FILLERS:
            content += 1
        i += 1
    return signs, opens


def read_affirm_deny(text: str) -> Reading | Refusal:
    """ "yes", "no" or "unclear"; only an empty text is refused. Doubts of an unclear one: "question",
    "hedged", "change", "mixed", "other".
    """
    folded = unstretch(fold(text)).strip()
    if not folded:
        return Refusal("empty", attempt=False)
    by_sign = {_BY_SIGN[char] for char in folded if char in _BY_SIGN}
    if _QUESTION.search(folded):
        return Reading("unclear", ("question",))
    fine = _FINE.sub(_FINE_WORD, folded)
    if _UNKNOWN.search(fine):
        return Reading("unclear", ("hedged",))
    plain = (
        _EXCLAMATION.sub(" ", fine)
        .replace("he eh", "heeh")
        .replace("ho oh", "hooh")
        .replace("he em", "heem")
        .replace("hi ih", "hiih")
        .replace("terima kasih", "makasih")
    )
    words = _WORD.findall(plain)
    words = [w for w in words if w[0].isalnum()]
    later = bool(re.search(r"\b(?:nanti|ntar|tar|besok|kapan-kapan)\b", plain))
    signs, opens = _polarity(words)
    if "yes" in by_sign and not signs:
        signs, opens = ["yes"], True
    elif "no" in by_sign and not signs:
        signs, opens = ["no"], True
    elif by_sign & {"yes", "no"}:
        signs.append("yes" if "yes" in by_sign else "no")
    if "unclear" in by_sign:
        return Reading("unclear", ("hedged",))
    if "weak" in signs:
        if len(words) <= _MOST_WORDS_WEAK or (opens and all(sign == "weak" for sign in signs)):
            signs = ["yes" if sign == "weak" else sign for sign in signs]
        else:
            signs = [sign for sign in signs if sign != "weak"]
    if not signs:
        return Reading("unclear", ("hedged" if _HEDGE.search(plain) else "other",))
    if not opens and len(words) > 8:
        return Reading("unclear", ("other",))
    if _HEDGE.search(plain) and not (
        signs[0] == "no"
        and set(signs) == {"no"}
        and not re.search(r"\b(?:kaya|kayak|mungkin|seperti|kali|dulu)", plain)
    ):
        return Reading("unclear", ("hedged",))
    kinds = set(signs)
    if kinds == {"yes"}:
        if _CHANGE.search(plain) or any(char.isdigit() for char in plain.replace("100%", "")):
            return Reading("unclear", ("change",))
        if later:
            return Reading("unclear", ("later",))
        return Reading("yes")
    if kinds == {"no"}:
        return Reading("no", ("later",) if later else ())
    opening = words and words[0] in _OPENING
    if opening and signs[0] == "yes" and set(signs[1:]) == {"no"} and not _CHANGE.search(_up_to_no(plain)):
        near = next(i for i, word in enumerate(words) if word in _NO)
        if near <= 3:
            return Reading("no")
    if signs[0] == "no" and _CHANGE.search(plain) is None and len(words) <= 4 and words[-1] in {"ya", "iya", "yah"}:
        return Reading("no")
    return Reading("unclear", ("change" if _CHANGE.search(plain) else "mixed",))


def _up_to_no(plain: str) -> str:
    """The text before its first no, where a "tapi" would make the yes before it a real one."""
    for match in _WORD.finditer(plain):
        if match.group() in _NO:
            return plain[: match.start()]
    return plain
