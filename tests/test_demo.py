"""Test data of `make demo`: at every stage, marked, and refused beside real submissions."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from intake_site import demo as command
from intake_site.demo import main as demo
from screening.desk.queues import QUEUES
from screening.models import Contact, Note, Status, Submission
from screening.rules.personas import PERSONAS
from tests.answers import IOP
from tests.desk.helpers import CASES
from tests.helpers import output_of, parse


@pytest.fixture
def local(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HTTPS = False
    monkeypatch.setattr(command, "connection", SimpleNamespace(vendor="sqlite"))


@pytest.mark.usefixtures("local")
def test_it_fills_the_desk_with_marked_submissions_at_all_stages(staff_client: Client) -> None:
    assert demo("--number", "60") == "60 test submissions added."
    made = Submission.objects.all()
    assert made.count() == made.filter(is_test=True).count() == 60
    assert set(made.values_list("status", flat=True)) == set(Status.values)
    assert set(made.values_list("urgency", flat=True)) == {0, 1, 2, 3}
    assert {submission.program for submission in made} == {"iop", "inpatient"}
    assert Note.objects.exists()
    assert Contact.objects.exists()
    page = parse(staff_client.get("/admin/"))
    counts = [count.text for count in page.select(".queue .count")]
    assert len(counts) == len(QUEUES)
    assert "0" not in counts
    assert "(test)" in staff_client.get(CASES).content.decode()
    output_of("verify_results")


@pytest.mark.usefixtures("local")
def test_the_six_people_come_first_as_they_are() -> None:
    demo("--number", "6")
    assert [submission.answers for submission in Submission.objects.order_by("pk")] == [
        person.answers for person in PERSONAS
    ]


@pytest.mark.usefixtures("local")
def test_clear_takes_away_test_data_and_nothing_else() -> None:
    demo("--number", "10")
    real = Submission.objects.submit(IOP)
    assert demo("--clear") == "10 test submissions taken away."
    assert Submission.objects.get() == real


@pytest.mark.usefixtures("local")
def test_it_refuses_to_stand_beside_answers_of_real_people() -> None:
    Submission.objects.submit(IOP)
    with pytest.raises(SystemExit, match=r"1 submissions that are not test data.*make demo LOCAL=yes"):
        demo()
    assert Submission.objects.count() == 1
    demo("--local", "--number", "6")
    assert Submission.objects.count() == 7


@pytest.mark.django_db
@pytest.mark.parametrize(("https", "vendor"), [(True, "sqlite"), (False, "postgresql")])
def test_it_refuses_a_database_set_up_for_real_people(
    https: bool, vendor: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HTTPS = https
    monkeypatch.setattr(command, "connection", SimpleNamespace(vendor=vendor))
    with pytest.raises(SystemExit, match="set up for real people"):
        demo("--local")
    assert not Submission.objects.exists()
