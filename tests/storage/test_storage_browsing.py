"""Looking through records, beside the conversations."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError
from storage_examples import NOW, Desk

from storage.database import Unavailable
from storage.staff import add
from storage.tables import staff


@pytest.mark.asyncio
async def test_browsing_sees_what_is_committed(desk: Desk) -> None:
    """What a transaction wrote is there for the next look, on both databases."""

    async def count() -> int:
        return await desk.database.browse(
            lambda conn: int(conn.execute(select(func.count()).select_from(staff)).scalar_one())
        )

    assert await count() == 0
    await desk.database.transaction(
        lambda conn: add(conn, desk.keys, staff_id="s1", name="Rina", role="agent", now=NOW)
    )
    assert await count() == 1


@pytest.mark.asyncio
async def test_browsing_cannot_write(desk: Desk) -> None:
    """A page or a listing can never change a record."""
    with pytest.raises((DBAPIError, Unavailable)):
        await desk.database.browse(lambda conn: conn.execute(insert(staff).values(id="x")))
