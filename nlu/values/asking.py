"""Whether a text asks something or says that the person does not know, rather than answering."""

import re

_QUESTION = re.compile(
    r"\?\s*$|\b(?:kenapa|knp|knapa|berapa|brp|brapa|piro|sabaraha|gimana|gmn|bagaimana|kumaha|apakah|apaan|kapan|"
    r"siapa|maksudnya (?:apa|gimana)|"
    r"buat apa|untuk apa|emangnya|memangnya|mau tanya|mo tanya|mau nanya|nanya dong|nanya dulu|numpang tanya|boleh "
    r"tanya|tanya dong|"
    r"tanya dulu|dmn|di mana|dimana|yang mana|yg mana|how|what|why)\b"
)
_UNKNOWN = re.compile(
    r"\b(?:(?:ga|gak|gk|g|nggak|ngga|enggak|engga|tidak|tdk|tak|ndak|kagak|ora|teu|belum|blm|kurang|lupa|ra) ?(?:tau|"
    r"tahu|tahuu|ngerti|paham|hafal|hapal|"
    r"inget|ingat|yakin|pasti|tentu|nentu|menentu|ngarti|punya|terang|jelas)|gatau|gatahu|gaktau|ngga tau|entah|"
    r"entahlah|lupa|lali|poho|embuh|mbuh|"
    r"duka|teuing|bingung|no idea|idk|rahasia|ga mau kasih|gak mau kasih)\b"
)


def is_question(folded: str) -> bool:
    """Whether the text asks back."""
    return _QUESTION.search(folded) is not None


def is_unknown(folded: str) -> bool:
    """Whether the text says that the person does not know or remember."""
    return _UNKNOWN.search(folded) is not None
