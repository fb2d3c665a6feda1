"""What a Rasa server answers to `POST /model/parse`, as our readings. The shape is that of Rasa Open Source 3.6."""

from collections.abc import Collection
from typing import Final

import msgspec

from nlu.understanding import Ranked

RETRIEVAL: Final = "faq"
"""The intent that Rasa ranks as one, and whose topic a second ranking tells."""

_DIGITS: Final = 4


class BadAnswer(Exception):
    """Not an answer of a Rasa server trained on our vocabulary; the message says why, without the person's words."""


class _Intent(msgspec.Struct):
    name: str
    confidence: float


class _Topic(msgspec.Struct):
    intent_response_key: str
    confidence: float


class _Selector(msgspec.Struct):
    ranking: list[_Topic]


class _Answer(msgspec.Struct):
    intent_ranking: list[_Intent]
    # Beside the selectors by name, Rasa puts the list of their names here.
    response_selector: dict[str, _Selector | list[str]] = {}


_DECODER: Final = msgspec.json.Decoder(_Answer)


def joined_ranking(answer: bytes, vocabulary: Collection[str]) -> tuple[Ranked, ...]:
    """One ranking of all intents, best first, of two: a topic's confidence is that of `faq` shared out among topics.

    Raises BadAnswer, also for a name that is not in `vocabulary`: such a server was trained on other data.
    """
    try:
        read = _DECODER.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer("not the shape of Rasa's answer") from error
    topics = _topics(read)
    ranking: list[Ranked] = []
    for intent in read.intent_ranking:
        if intent.name == RETRIEVAL:
            ranking += (
                Ranked(topic.intent_response_key, round(intent.confidence * topic.confidence, _DIGITS))
                for topic in topics
            )
        else:
            ranking.append(Ranked(intent.name, round(intent.confidence, _DIGITS)))
    if not ranking:
        raise BadAnswer("no intent is ranked")
    if not all(each.name in vocabulary for each in ranking):
        raise BadAnswer("trained on another vocabulary")
    if not all(0 <= each.confidence <= 1 for each in ranking):
        raise BadAnswer("a confidence is not a share")
    return tuple(sorted(ranking, key=lambda each: -each.confidence))


def _topics(answer: _Answer) -> list[_Topic]:
    selector = answer.response_selector.get(RETRIEVAL)
    if not isinstance(selector, _Selector) or not selector.ranking:
        raise BadAnswer("no topic is ranked")
    return selector.ranking
