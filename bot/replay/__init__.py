"""Conversation scripts: read, played on the real program under a clock of their own, and judged."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """`rangkul replay`. The command is loaded when it is called."""
    from bot.replay import command

    return command.main(arguments)
