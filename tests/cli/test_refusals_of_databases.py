"""What a database says when it refuses: one sentence, and a remedy that names what to change. A row is a test."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from gateway.cli import app
from gateway.errors import OurFault
from gateway.store import Store, migrate, postgres
from gateway.store.lock import ServeLock
from gateway.store.refusals import POSTGRESQL, SQLITE, our_fault


@pytest.fixture(scope="module")
def walled(postgres_server: Any, postgres_url: str) -> Iterator[str]:
    """A URL of PostgreSQL, where the user `walled` needs a password and owns nothing."""
    rules = Path(postgres_server.pgdata) / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all walled scram-sha-256\n" + before)
    postgres_server.psql("CREATE ROLE walled LOGIN PASSWORD 'right'; SELECT pg_reload_conf();")
    yield postgres_url
    rules.write_text(before)
    postgres_server.psql("DROP ROLE walled; SELECT pg_reload_conf();")


REFUSED = {
    "a wrong password": (("postgres@", "walled:wrong@"), "refuses the user", "GATEWAY_DATABASE_URL"),
    "an unknown user": (("postgres@", "nobody@"), "refuses the user", "pg_hba.conf"),
    "no such database": (("/postgres?", "/absent?"), "no such database: database .absent. does not exist", "createdb"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_postgresql_that_refuses_is_told_with_its_remedy(
    case: str, walled: str, tmp_path: Path, clock: Any
) -> None:
    """By migrating and by opening; never with the password."""
    change, said, remedy = REFUSED[case]
    url = walled.replace(*change)
    for attempt in (migrate(url), Store.open(url, payloads=tmp_path, clock=clock)):
        with pytest.raises(OurFault, match=said) as refused:
            await attempt
        one_sentence(refused.value, remedy)
        assert "wrong" not in str(refused.value)


async def test_a_user_without_rights_is_told_what_to_grant(walled: str) -> None:
    """Since PostgreSQL 15 nobody may make tables in somebody else's database."""
    with pytest.raises(OurFault, match="does not let the user do that: permission denied") as refused:
        await migrate(walled.replace("postgres@", "walled:right@"))
    one_sentence(refused.value, "OWNER TO")


UNREACHABLE = {
    "a port where nobody listens": ("127.0.0.1:1", "cannot be reached"),
    "a host that there is not": ("no-such-host.invalid", "cannot be reached"),
}


@pytest.mark.parametrize("case", UNREACHABLE)
async def test_a_server_that_is_not_there_is_told(case: str, tmp_path: Path, clock: Any) -> None:
    """With what to look at."""
    where, said = UNREACHABLE[case]
    url = f"postgresql+asyncpg://me:secret@{where}/db"
    for attempt in (migrate(url), Store.open(url, payloads=tmp_path, clock=clock)):
        with pytest.raises(OurFault, match=said) as refused:
            await attempt
        one_sentence(refused.value, "host, port")
        assert "secret" not in str(refused.value)


async def test_a_postgresql_that_is_too_old_is_refused(
    walled: str, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is made in it."""
    monkeypatch.setattr(postgres, "OLDEST", (99,))
    for attempt in (migrate(walled), Store.open(walled, payloads=tmp_path, clock=clock)):
        with pytest.raises(OurFault, match=r"PostgreSQL \d+ is too old: 99 is needed") as refused:
            await attempt
        one_sentence(refused.value, "pg_upgrade")


def _no_database(folder: Path) -> Path:
    (folder / "notes.db").write_bytes(b"not a database, but long enough to be read as its header" * 20)
    return folder / "notes.db"


def _folder_is_a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file" / "gateway.db"


FILES: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "a file that is no database": (_no_database, "is no SQLite database: file is not a database", "database.url"),
    "a folder that is a file": (_folder_is_a_file, "cannot be made: ", "database.url"),
    "a folder instead of a file": (lambda folder: folder, "cannot be opened", "folder"),
}


@pytest.mark.parametrize("case", FILES)
async def test_a_file_that_cannot_be_the_database_is_told(case: str, tmp_path: Path) -> None:
    """With what to change."""
    make, said, remedy = FILES[case]
    with pytest.raises(OurFault, match=said) as refused:
        await migrate(f"sqlite:///{make(tmp_path)}")
    one_sentence(refused.value, remedy)


async def test_a_payload_folder_that_cannot_be_written_keeps_the_server_from_starting(
    database_url: str, tmp_path: Path, clock: Any
) -> None:
    """A partner's large message must not be the first to find out; commands that only read still run."""
    (tmp_path / "payloads").write_bytes(b"")
    with pytest.raises(OurFault, match=r"payloads cannot be written") as refused:
        await Store.open(database_url, payloads=tmp_path / "payloads", clock=clock, serve=True)
    one_sentence(refused.value, "database.payloads")
    await (await Store.open(database_url, payloads=tmp_path / "payloads", clock=clock)).close()


async def test_a_second_server_on_one_file_is_told_who_has_it(tmp_path: Path) -> None:
    """Process, host, since when."""
    held = ServeLock.take(tmp_path / "gateway.db")
    with pytest.raises(OurFault) as refused:
        ServeLock.take(tmp_path / "gateway.db")
    assert f"process {os.getpid()} on {socket.gethostname()} since 20" in str(refused.value)
    one_sentence(refused.value, "PostgreSQL")
    held.release()
    ServeLock.take(tmp_path / "gateway.db").release()


class _RaisedError(Exception):
    sqlstate = ""


@pytest.mark.parametrize("state", POSTGRESQL)
def test_every_sqlstate_of_the_table_is_told_by_its_row(state: str) -> None:
    """The database's own words behind ours, without the statement."""
    reason = _RaisedError("it said\nso")
    reason.sqlstate = state
    fault = our_fault(DBAPIError("SELECT secret", {"value": "secret"}, reason))
    said, remedy = POSTGRESQL[state]
    assert (str(fault), fault.remedy) == (f"{said}: it said so", remedy)


@pytest.mark.parametrize("code", SQLITE)
def test_every_result_code_of_the_table_is_told_by_its_row(code: int) -> None:
    """Extended codes by their primary one."""
    reason = sqlite3.OperationalError("it said so")
    reason.sqlite_errorcode = code | 3 << 8
    said, remedy = SQLITE[code]
    fault = our_fault(reason)
    assert (str(fault), fault.remedy) == (f"{said}: it said so", remedy)


def test_commands_say_it_in_one_line_with_exit_code_2(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a traceback."""
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql+asyncpg://me:secret@127.0.0.1:1/db")
    for command in (["serve"], ["message", "list"], ["node", "list"], ["database", "status"], ["payload", "verify"]):
        result = CliRunner().invoke(app, [*command, "--workspace", str(made)])
        assert result.exit_code == 2, command
        assert "cannot run: PostgreSQL cannot be reached" in result.stderr
        assert "remedy: Check that it runs" in result.stderr
        assert "secret" not in result.stderr


def one_sentence(fault: OurFault, remedy: str) -> None:
    """Told in one line, with a remedy that names the thing."""
    assert "\n" not in str(fault)
    assert remedy in fault.remedy
