"""Where a conversation stands: for reports of failures, and for what scripts have visited."""

from __future__ import annotations

import re
from typing import Final

from flows.model import Session, Value
from flows.work import Flows
from storage.conversations import Held

_CODE: Final = re.compile(r"[a-z][a-z0-9_/]{0,30}|[A-Z]{3}|RK-[0-9A-Z]{4}-[0-9A-Z]{4}|\d\d\.\d\d|\d{4}-\d\d-\d\d")
_LAST_SHOWN: Final = 4


def stood(held: Held) -> str:
    """Owner, tasks, open question and answers; personal ones masked."""
    session = held.session
    lines = []
    if held.owner != "bot":
        lines.append(f"held by staff {held.owner}")
    if not session.tasks:
        lines.append("no task under way")
    for task in reversed(session.tasks):
        slots = ", ".join(f"{name}={masked(value)}" for name, value in task.slots.items())
        lines.append(f"flow {task.flow} ({slots or 'nothing answered'})")
    if session.asked:
        options = ", ".join(option.title for option in session.asked.options)
        lines.append(f"question {session.asked.key}" + (f" [{options}]" if options else ""))
    else:
        lines.append("no open question")
    return "; ".join(lines)


def masked(value: Value) -> str:
    """A slot's value that tells nobody apart: our own codes and small numbers plain, the rest by its end."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(masked(one) for one in value) + "]"
    if isinstance(value, bool | int) or _CODE.fullmatch(value):
        return str(value)
    if sum(sign.isdigit() for sign in value) > _LAST_SHOWN:
        return f"••••{value[-_LAST_SHOWN:]}"
    return f"•••• ({len(value)} characters)"


def visited_by(session: Session) -> set[str]:
    """Steps that this conversation has reached: asked, or answered on the way. As `flow/slot`."""
    steps = {f"{task.flow}/{slot}" for task in session.tasks for slot in task.slots}
    if session.tasks and session.asked:
        if session.asked.slot:
            steps.add(f"{session.tasks[-1].flow}/{session.asked.slot}")
        elif session.asked.key.endswith("/read_back"):
            steps.add(session.asked.key)
    return steps


def all_steps(flows: Flows) -> list[str]:
    """Every step that a script could visit, in the order of the flows."""
    steps = []
    for flow in flows.by_name.values():
        steps += [f"{flow.name}/{ask.slot}" for ask in flow.steps]
        if flow.read_back:
            steps.append(f"{flow.name}/read_back")
    return steps
