"""The three time zones of Indonesia, by region."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

WIB: Final = "Asia/Jakarta"
WITA: Final = "Asia/Makassar"
WIT: Final = "Asia/Jayapura"

ZONE_LABELS: Final = {WIB: "WIB", WITA: "WITA", WIT: "WIT"}

_WITA_PROVINCES: Final = frozenset({"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"})
_WIT_PROVINCES: Final = frozenset({"81", "82", "91", "92", "93", "94", "95", "96"})


def zone_of_region(region_code: str | None) -> str:
    """The IANA zone of a region code (`73`, `7371`, `73.71`): its first two digits are the province.

    An unknown or missing region is WIB. Source: Kemendagri province codes; they follow the zones of today.
    """
    province = (region_code or "").strip()[:2]
    if province in _WITA_PROVINCES:
        return WITA
    if province in _WIT_PROVINCES:
        return WIT
    return WIB


def zone_label(zone: str) -> str:
    """`WIB`, `WITA` or `WIT`. Raises ValueError for a zone outside Indonesia."""
    if zone not in ZONE_LABELS:
        raise ValueError(f"not an Indonesian zone: {zone!r}")
    return ZONE_LABELS[zone]


def zone_info(zone: str) -> ZoneInfo:
    """The zone's clock. Raises ValueError for a zone outside Indonesia."""
    zone_label(zone)
    return ZoneInfo(zone)
