"""The command line. A command's module is loaded only when it is called: starting up is something people wait for."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "run": ("bot.commands.run", "the service: chat page, turn workers, senders, timers"),
    "chat": ("bot.commands.chat", "talk in a terminal, or pipe one message a line"),
    "replay": ("bot.replay", "run conversation scripts"),
    "nlu": ("bot.commands.nlu", "parse, read, train, evaluate"),
    "check": ("bot.commands.check", "every problem in settings, flows, copy, data and scripts"),
    "explain": ("bot.commands.explain", "why the bot said that"),
    "bench": ("bot.commands.bench", "the benchmarks"),
    "staff": ("bot.commands.staff", "add or list staff"),
    "tickets": ("bot.commands.tickets", "list tickets"),
    "ticket": ("bot.commands.ticket", "act on a ticket as staff"),
    "members": ("bot.commands.members", "import or list members"),
    "applications": ("bot.commands.applications", "list sign-ups, or move one on"),
    "privacy": ("bot.commands.privacy", "export or erase a person; erase what is old"),
    "channels": ("bot.commands.channels", "Telegram and WhatsApp: check the set-up, links for posters, templates"),
    "keys": ("bot.commands.keys", "make new keys"),
    "backup": ("bot.commands.backup", "copy the database to a file, while the service runs"),
    "restore": ("bot.commands.restore", "bring a copy back"),
    "db": ("bot.commands.db", "bring the schema up to date"),
}

FAILED: Final = 1
BAD_USE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = argparse.ArgumentParser(prog="rangkul", description=_overview(), formatter_class=_AsWritten)
    chosen.add_argument("command", choices=available(), metavar="command")
    if not given:
        chosen.print_help()
        return BAD_USE
    name = chosen.parse_args(given[:1]).command
    module = importlib.import_module(COMMANDS[name][0])
    return _run(name, module.main, given[1:])


def _run(name: str, command: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    from bot.config import ConfigError
    from storage.database import Unavailable
    from storage.keyring import KeyringError

    try:
        return command(arguments)
    except ConfigError as error:
        for problem in error.problems:
            print(f"rangkul {name}: {problem}", file=sys.stderr)
        return BAD_USE
    except Unavailable as error:
        print(f"rangkul {name}: the database is away: {error}", file=sys.stderr)
        return FAILED
    except KeyringError as error:
        print(f"rangkul {name}: {error}; see docs/operations.md", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141


def available() -> list[str]:
    """The commands whose module is there."""
    return [name for name, (module, _) in COMMANDS.items() if importlib.util.find_spec(module)]


def _overview() -> str:
    lines = (f"  {name:<13} {COMMANDS[name][1]}" for name in available())
    return "The conversational front desk of employment social security.\n\n" + "\n".join(lines)


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Keeps the table of commands in its lines."""


if __name__ == "__main__":
    sys.exit(main())
