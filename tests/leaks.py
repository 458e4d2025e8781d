"""Looks for what must not be there: in logs, mails, cookies, pages and the database, in clear or in disguise."""

import base64
import html
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from django.core import mail
from django.db import connection


def disguises(text: str) -> Iterator[str]:
    """The text as it stands, and what the usual encodings in it stand for."""
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
    """Letters and digits only, so that neither case nor dividers hide anything."""
    return re.sub(r"[\W_]", "", text).lower()


def found(text: str, secrets: Iterable[str]) -> set[str]:
    """Those of the secrets that are in the text."""
    shown = [plain(form) for form in disguises(text)]
    return {secret for secret in secrets if any(plain(secret) in form for form in shown)}


@dataclass
class Places:
    """Where a person's words could turn up."""

    log: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # the pages that say that something failed, with their headers
    cookies: list[str] = field(default_factory=list)

    def leaks(self, secrets: Iterable[str]) -> set[tuple[str, str]]:
        """(place, secret) for everything that is where it must not be; the database is looked at apart."""
        mails = [f"{message.subject}\n{message.body}\n{message.alternatives}" for message in mail.outbox]
        places = {"log": self.log, "mail": mails, "error page": self.errors, "cookie": self.cookies}
        return {(place, secret) for place, texts in places.items() for secret in found("\n".join(texts), secrets)}


def database() -> dict[str, str]:
    """All that the database holds, as it stands there: a text for each column."""
    columns: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = cursor.fetchall()
            for place, column in enumerate(cursor.description):
                columns[f"{table}.{column[0]}"] = "\n".join(str(row[place]) for row in rows)
    return columns


def in_database(secrets: Iterable[str]) -> set[tuple[str, str]]:
    """(column, secret) for each that is there."""
    return {(column, secret) for column, text in database().items() for secret in found(text, secrets)}
