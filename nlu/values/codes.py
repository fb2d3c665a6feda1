"""Codes that the product prints (`RK-7K3Q-9XTM`): no 0, O, 1 or I in them, so that they can be read aloud."""

import re

from nlu.values.folding import fold
from nlu.values.reading import Reading, Refusal

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
PREFIX = "RK"

_GAP = r"[\s\-_./–:]{0,3}"
_CODE = re.compile(
    rf"(?<![a-z0-9])(?P<prefix>rk){_GAP}(?P<first>[a-z0-9]{{4}}){_GAP}(?P<last>[a-z0-9]{{4}})(?![a-z0-9])"
)
_SPELLED = re.compile(r"(?<![a-z0-9])r[\s.\-]*k[\s.\-]+(?P<rest>(?:[a-z0-9][\s.\-]+){7}[a-z0-9])(?![a-z0-9])")
_BARE = re.compile(r"(?<![a-z0-9])(?P<first>[a-z0-9]{4})[\s\-_.]?(?P<last>[a-z0-9]{4})(?![a-z0-9])")
_ATTEMPT = re.compile(r"(?<![a-z0-9])rk[\s\-_]{0,2}(?=[a-z]*[0-9])[a-z0-9\-_]+|[a-z0-9]*[0-9][a-z0-9]*")


def _checked(body: str) -> Reading | Refusal:
    body = body.upper()
    wrong = "".join(sorted({char for char in body if char not in ALPHABET}))
    if wrong:
        return Refusal("bad_characters", {"characters": wrong})
    return Reading(f"{PREFIX}-{body[:4]}-{body[4:]}")


def find_codes(folded: str) -> list[tuple[str, int, int]]:
    """The codes with their prefix within `folded`: code as printed, start, end."""
    found = []
    for match in _CODE.finditer(folded):
        read = _checked(match["first"] + match["last"])
        if isinstance(read, Reading):
            found.append((str(read.value), match.start(), match.end()))
    return found


def read_ticket_code(text: str) -> Reading | Refusal:
    """A code, case and separators forgiven, the prefix too. A look-alike (O, 0, I, 1) is refused, never guessed."""
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    bodies = {m["first"] + m["last"] for m in _CODE.finditer(folded)}
    bodies |= {re.sub(r"[\s.\-]", "", m["rest"]) for m in _SPELLED.finditer(folded)}
    if not bodies:
        bare = {m["first"] + m["last"] for m in _BARE.finditer(folded)}
        bodies = {body for body in bare if any(c.isdigit() for c in body) and not body.isdigit()}
    if len(bodies) > 1:
        return Refusal("two_answers")
    if bodies:
        return _checked(bodies.pop())
    attempt = _ATTEMPT.search(folded)
    if attempt is None:
        return Refusal("unclear", attempt=False)
    length = sum(c.isalnum() for c in attempt.group().removeprefix("rk"))
    return Refusal("too_short" if length < 8 else "too_long" if length > 8 else "unclear", {"characters": str(length)})
