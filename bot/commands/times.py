"""Instants on the terminal."""

from __future__ import annotations

from datetime import datetime

from flows.rules.zones import zone_info, zone_label


def office_time(at: datetime, zone: str, *, seconds: bool = False) -> str:
    """`2026-11-23 09:00 WIB`: the instant on the clock of the office's zone, with the zone's name."""
    shown = at.astimezone(zone_info(zone))
    return f"{shown:%Y-%m-%d %H:%M:%S} {zone_label(zone)}" if seconds else f"{shown:%Y-%m-%d %H:%M} {zone_label(zone)}"
