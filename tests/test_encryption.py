"""Encryption at rest and key rotation."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.core.exceptions import FieldError
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from screening import return_codes
from screening.encryption import cipher
from screening.fields import EncryptedTextField, Unreadable
from screening.models import Contact, Note, Submission
from tests.answers import IOP, URGENT
from tests.desk.helpers import ask_for_call, url_of
from tests.helpers import by_fernet, database_begins_anew, output_of

pytestmark = pytest.mark.django_db
OLD, NEW = (f"{name} key, as long as a key must be and as random as it gets" for name in ("the old", "a new"))


@pytest.fixture
def on_file(settings: Any) -> dict[str, Submission]:
    """Two submissions by return code, the first with a request for a call and a note, all under the old key."""
    settings.DATA_KEYS = [OLD]
    database_begins_anew()
    saved = {
        code: Submission.objects.submit(given, code) for given in (IOP, URGENT) for code in [return_codes.generate()]
    }
    first = next(iter(saved.values()))
    ask_for_call(first, name="Robin", phone="")
    Note.objects.create(submission=first, text="Überall é ☎", author=User.objects.create_user("author"))
    return saved


def stored() -> list[tuple[Any, ...]]:
    """Return the rows of all encrypted columns as they are stored."""
    with connection.cursor() as cursor:
        rows = []
        for table, columns in (
            ("screening_contact", "name, phone, email, best_time, to_others"),
            ("screening_note", "text"),
            ("screening_submission", "code, answers, result, seal"),
        ):
            cursor.execute(f"SELECT {columns} FROM {table}")
            rows += cursor.fetchall()
    return rows


def rotate() -> str:
    return output_of("rotate_keys")


def test_text_is_stored_encrypted_differently_each_time_and_empty_text_as_it_is(on_file: Any) -> None:
    assert Contact.objects.get().phone == ""
    (name, phone, *_more), (text,) = stored()[:2]
    assert "Robin" not in name
    assert phone == ""
    assert Note.objects.get().text == "Überall é ☎"
    Note.objects.get().save()
    assert stored()[1] != (text,)


def test_keys_are_changed_by_adding_one_and_rotating_and_then_the_old_one_can_go(on_file: Any, settings: Any) -> None:
    before = stored()
    settings.DATA_KEYS = [NEW, OLD]
    assert Contact.objects.get().name == "Robin"
    assert [Submission.objects.with_code(code) for code in on_file] == [*on_file.values()]
    assert rotate() == "12 moved to the newest key, 0 were under it. Earlier keys can leave DATA_KEYS in six hours.\n"
    after = stored()
    assert not {value for row in before for value in row if value} & {value for row in after for value in row}
    settings.DATA_KEYS = [NEW]
    assert Contact.objects.get().name == "Robin"
    assert Note.objects.get().text == "Überall é ☎"
    assert [Submission.objects.with_code(code) for code in on_file] == [*on_file.values()]
    assert rotate() == "0 moved to the newest key, 12 were under it. Earlier keys can leave DATA_KEYS in six hours.\n"
    assert stored() == after


def test_draft_saved_under_the_old_key_is_not_saved_once_more_under_the_new_one(on_file: Any, settings: Any) -> None:
    settings.DATA_KEYS = [NEW, OLD]
    code, submission = next(iter(on_file.items()))
    assert Submission.objects.submit(IOP, code) == submission
    assert Submission.objects.count() == 2


def test_every_column_that_is_encrypted_is_rotated(on_file: Any, settings: Any) -> None:
    Contact.objects.update(name="a", phone="b", email="c", best_time="d", to_others="e")
    settings.DATA_KEYS = [NEW, OLD]
    encrypted = [
        field
        for model in (Contact, Note)
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField)
    ]
    assert len(encrypted) == 6
    assert rotate().startswith("16 moved")


def test_missing_key_is_reported_and_nothing_is_overwritten(on_file: Any, settings: Any, staff_client: Client) -> None:
    settings.DATA_KEYS = [NEW]
    before = stored()
    with pytest.raises(CommandError, match="0 moved to the newest key, 0 were under it, 10 can't be read"):
        rotate()
    note = Note.objects.get()
    assert "can’t be read" in note.text
    with pytest.raises(ValueError, match="must not be written over"):
        note._meta.get_field("text").get_prep_value(note.text)
    assert stored() == before
    html = staff_client.get(url_of(note.submission)).content.decode()
    assert html.count("can’t be read: the key") == 1
    html = staff_client.post(url_of(note.submission, "reveal")).content.decode()
    assert html.count("can’t be read: the key") == 1


def test_encrypted_columns_refuse_to_be_searched() -> None:
    for lookup in ("text", "text__contains", "text__in"):
        with pytest.raises(FieldError, match="encrypted"):
            Note.objects.filter(**{lookup: "x"}).exists()
    assert not Note.objects.filter(text__isnull=True).exists()


def test_what_fernet_encrypted_before_is_read_and_moved(settings: Any, on_file: Any) -> None:
    earlier = by_fernet("column", OLD, "Grün ☎")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE screening_note SET text = %s", [earlier])
    settings.DATA_KEYS = [NEW, OLD]
    assert Note.objects.get().text == "Grün ☎"
    rotate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM screening_note")
        (moved,) = cursor.fetchone()
    assert moved != earlier
    settings.DATA_KEYS = [NEW]
    assert Note.objects.get().text == "Grün ☎"
    assert cipher("column").renewed(moved) == moved, "it is moved once"
    settings.DATA_KEYS = [OLD]
    assert isinstance(Note.objects.get().text, Unreadable)


@pytest.mark.sqlite_is_enough
def test_column_that_was_tampered_with_is_not_opened(settings: Any) -> None:
    settings.DATA_KEYS = [NEW, OLD]
    stored = cipher("column").encrypt("a text")
    assert cipher("column").decrypt(stored) == "a text"
    token = urlsafe_b64decode(stored)
    for place in range(len(token)):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        with pytest.raises(InvalidToken):
            cipher("column").decrypt(urlsafe_b64encode(changed).decode())
    for other in (token[:-1], token[:17], token[:1], b"", token + b"x", b"\x80" + token):
        with pytest.raises(InvalidToken):
            cipher("column").decrypt(urlsafe_b64encode(other).decode())
    for text in ("", "ü", "no token", "{}", "A"):
        with pytest.raises(InvalidToken):
            cipher("column").decrypt(text)
