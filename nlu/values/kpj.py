"""The KPJ, the membership number on the participant's card: eleven digits, without a known check digit."""

from nlu.values.digit_runs import digit_runs
from nlu.values.folding import after_retraction, fold
from nlu.values.nik import pick_run
from nlu.values.reading import Reading, Refusal

KPJ_DIGITS = 11


def read_kpj(text: str) -> Reading | Refusal:
    """A membership number anywhere in `text`; O is read as 0, l and I as 1. One that may be a phone number
    carries that doubt.
    """
    folded = fold(text)
    if not folded.strip():
        return Refusal("empty", attempt=False)
    tail = after_retraction(folded)
    if tail is not None and any(len(run.digits) == KPJ_DIGITS for run in digit_runs(tail)):
        folded = tail
    run = pick_run(digit_runs(folded, least=4), KPJ_DIGITS)
    if isinstance(run, Refusal):
        return run
    if run is None:
        return Refusal("not_a_number", attempt=any(c.isdigit() for c in folded))
    if run.spoiled:
        return Refusal("bad_characters", {"digits": str(sum(c.isdigit() for c in run.digits))})
    if len(run.digits) != KPJ_DIGITS:
        return Refusal("too_short" if len(run.digits) < KPJ_DIGITS else "too_long", {"digits": str(len(run.digits))})
    if len(set(run.digits)) == 1:
        return Refusal("unclear", {"digits": str(KPJ_DIGITS)})
    return Reading(run.digits, ("looks_like_phone",) if run.digits.startswith("08") else ())
