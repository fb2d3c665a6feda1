"""Which process of this machine listens on a port, by what the system tells under `/proc`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_LISTENS: Final = "0A"


def pid_of_listener(port: int) -> int | None:
    """The process that listens on a TCP port; None when there is none, it is not ours, or there is no `/proc`."""
    socket = listening_socket(port)
    if socket is None:
        return None
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(str(entry.readlink()) == f"socket:[{socket}]" for entry in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:  # it ended meanwhile, or it is not ours to look at
            continue
    return None


def listening_socket(port: int) -> str | None:
    """The number of the socket that listens on a TCP port, of whichever process; None when nobody listens there."""
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net") / name
        for line in path.read_text("ascii").splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                return fields[9]
    return None
