"""Telephone numbers. Indonesian mobiles by our own rule; foreign ones, which need every country's plan, by
`phonenumbers`.
"""

import re

import phonenumbers

from nlu.values.digit_runs import DigitRun, digit_runs
from nlu.values.folding import after_retraction, fold
from nlu.values.reading import Reading, Refusal

#: National significant number of an Indonesian mobile: an 8, an operator's digit (never 0 or 4), 9 to 12 digits in all.
_MOBILE = re.compile(r"8[1-35-9][0-9]{7,10}")
_OPERATOR = re.compile(r"8[1-35-9]")
_MOBILE_LEAST, _MOBILE_MOST = 9, 12


def _foreign(digits: str) -> Reading | Refusal:
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return Refusal("unclear", {"digits": str(len(digits))})
    if not phonenumbers.is_possible_number(number):
        return Refusal("too_short" if len(digits) < 10 else "too_long", {"digits": str(len(digits))})
    doubts = ("foreign",) if phonenumbers.is_valid_number(number) else ("foreign", "number_unverified")
    return Reading(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), doubts)


def _indonesian(national: str, typed: str) -> Reading | Refusal:
    """`national` without trunk 0; `typed` is what the person wrote, whose length the copy can name."""
    detail = {"digits": str(len(typed))}
    if _MOBILE.fullmatch(national):
        return Reading("+62" + national)
    if _OPERATOR.match(national):
        return Refusal("too_short" if len(national) < _MOBILE_LEAST else "too_long", detail)
    if len(national) < 7:
        return Refusal("too_short", detail)
    if len(national) > _MOBILE_MOST:
        return Refusal("too_long", detail)
    return Refusal("landline" if national[0] in "2345679" else "unclear", detail)


def read_run(run: DigitRun) -> Reading | Refusal:
    """The phone number in one run of digits."""
    digits = run.digits
    if run.spoiled:
        return Refusal("bad_characters", {"digits": str(sum(c.isdigit() for c in digits))})
    if digits.startswith("00") and not run.plus:
        digits = digits[2:]
        if not digits.startswith("62"):
            return _foreign(digits) if len(digits) >= 8 else Refusal("too_short", {"digits": str(len(run.digits))})
    elif run.plus and not digits.startswith(("62", "0")):
        return _foreign(digits)
    if digits.startswith("62") and (run.plus or len(digits) > 9):
        return _indonesian(digits[2:].removeprefix("0"), run.digits)
    if digits.startswith("0"):
        return _indonesian(digits[1:], run.digits)
    if digits.startswith("8"):
        return _indonesian(digits, run.digits)
    if len(digits) < 7 or digits.startswith(("1500", "14")):
        return Refusal("short_code", {"digits": str(len(digits))})
    if len(digits) > 13:
        return Refusal("too_long", {"digits": str(len(digits))})
    return Refusal("landline" if len(digits) <= 8 else "unclear", {"digits": str(len(digits))})


def read_phone(text: str) -> Reading | Refusal:
    """A mobile number anywhere in `text`, as E.164: `0812…`, `62…`, `0062…`, `812…`, in words; foreign ones
    need a `+` or `00`.
    """
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    results: list[Reading | Refusal] = []
    if tail is not None:
        results = [r for r in map(read_run, digit_runs(tail, least=5)) if isinstance(r, Reading)]
    if not results:
        results = list(map(read_run, digit_runs(folded)))
    read = {r.value: r for r in results if isinstance(r, Reading)}
    if len(read) > 1:
        return Refusal("two_answers")
    if read:
        return next(iter(read.values()))
    if results:
        return results[-1]
    return Refusal("not_a_number", attempt=any(c.isdigit() for c in folded))
