"""Search logs, mails, cookies, pages and the database for secrets, in plain text or encoded."""

import base64
import html
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

from django.core import mail
from django.db import connection


def decodings(text: str) -> Iterator[str]:
    """Yield the text itself and each decoding of it: URL, HTML, JSON, base64, zlib."""
    yield text
    yield unquote_plus(text)
    yield html.unescape(text)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    for token in re.findall(r"[A-Za-z0-9+/_-]{16,}", text):
        whole = token[: -1 if len(token) % 4 == 1 else None].replace("+", "-").replace("/", "_")
        raw = base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
        yield raw.decode("utf-8", "replace")
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(raw).decode("utf-8", "replace")


def plain(text: str) -> str:
    """Return the letters and digits only, in lower case."""
    return re.sub(r"[\W_]", "", text).lower()


def secrets_in(text: str, secrets: Iterable[str]) -> set[str]:
    """Return those of the secrets that are in the text."""
    shown = [plain(form) for form in decodings(text)]
    return {secret for secret in secrets if any(plain(secret) in form for form in shown)}


@dataclass
class Places:
    """The places where secrets could appear."""

    log: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # error pages, with their headers
    cookies: list[str] = field(default_factory=list)

    def leaks(self, secrets: Iterable[str]) -> set[tuple[str, str]]:
        """Return (place, secret) for each secret in a log, mail, error page or cookie."""
        mails = [f"{message.subject}\n{message.body}\n{message.alternatives}" for message in mail.outbox]
        places = {"log": self.log, "mail": mails, "error page": self.errors, "cookie": self.cookies}
        return {(place, secret) for place, texts in places.items() for secret in secrets_in("\n".join(texts), secrets)}


def database() -> dict[str, str]:
    """Return the stored text of each column of the database."""
    columns: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = cursor.fetchall()
            for place, column in enumerate(cursor.description):
                columns[f"{table}.{column[0]}"] = "\n".join(str(row[place]) for row in rows)
    return columns


def database_files() -> bytes:
    """Return the bytes of SQLite's files."""
    path = Path(str(connection.settings_dict["NAME"]))
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def in_database(secrets: Iterable[str]) -> set[tuple[str, str]]:
    """Return (column, secret) for each secret that a column holds."""
    return {(column, secret) for column, text in database().items() for secret in secrets_in(text, secrets)}
