"""Two tabs of one browser: nothing is saved that the page with the pressed button did not show."""

import random
from typing import Any

import pytest
from django.test import Client

from screening.explanation import answers_by_section
from screening.models import RateLimitCount, Submission
from screening.questionnaire import PAGE_BY_SLUG, PAGES
from tests.answers import BEST, IOP, URGENT, on_page
from tests.conftest import Person
from tests.helpers import parse

pytestmark = pytest.mark.django_db


def texts_of(answers: dict[str, str]) -> list[str]:
    return [str(answer.text) for _slug, _title, page in answers_by_section(answers) for answer in page]


class Browser:
    """Two tabs that share their cookies. An answer may arrive later than one that was asked for after it."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = generator
        self.cookies: dict[str, str] = {}
        self.on_the_way: list[tuple[int, int, Any]] = []  # tab, number of its request, answer
        self.latest = [0, 0]  # number of the last request of each tab
        self.pages: list[Any] = [None, None]
        self.seen: dict[str, list[str]] = {}  # what a check page listed, by what it and the result page carry
        person = Person(Client())
        person.has_answered(IOP)
        self._accept(person.client)

    def _accept(self, answer: Any) -> None:
        for name, morsel in answer.cookies.items():
            if morsel.value:
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)

    def send(self, tab: int, address: str, data: dict[str, str] | None = None) -> Any:
        """Have the server answer now; the answer arrives later."""
        client = Client()
        for name, value in self.cookies.items():
            client.cookies[name] = value
        answer = client.get(address) if data is None else client.post(address, data)
        self.latest[tab] += 1
        self.on_the_way.append((tab, self.latest[tab], answer))
        return answer

    def receive(self) -> None:
        tab, number, answer = self.on_the_way.pop(self.generator.randrange(len(self.on_the_way)))
        self._accept(answer)
        if number == self.latest[tab]:  # else the tab no longer waits for it
            if answer.status_code == 302:
                self.send(tab, answer.url)
            else:
                self.pages[tab] = answer

    def step(self) -> None:
        tab, generator = self.generator.randrange(2), self.generator
        page = self.pages[tab]
        if self.on_the_way and generator.random() < 0.5:
            self.receive()
        elif page and b'name="shown"' in page.content and generator.random() < 0.4:
            self.press(tab, parse(page))
        elif generator.random() < 0.4:
            self.send(tab, generator.choice(["/check/", "/check/", "/check/", "/result/", "/questions/job/"]))
        else:
            of = generator.choice(PAGES[2:])
            self.send(tab, f"/questions/{of.slug}/", on_page(of, generator.choice([BEST, IOP, URGENT])))

    def press(self, tab: int, page: Any) -> None:
        form = page.select_one("form[action='/check/']")
        data = {field["name"]: field.get("value", "") for field in form.select("input")}
        data["action"] = self.generator.choice([button["value"] for button in form.select("button")])
        if answers := [element.text for element in page.select("dd:not(.change)")]:
            self.seen[data["shown"]] = answers
        seen = self.seen[data["shown"]]
        before = set(Submission.objects.values_list("pk", flat=True))
        answer = self.send(tab, "/check/", data)
        for saved in Submission.objects.exclude(pk__in=before):
            assert texts_of(saved.answers) == seen
        if answer.status_code == 302 and answer.url == "/result/" and data["action"] == "save":
            assert any(texts_of(saved.answers) == seen for saved in Submission.objects.all())
        elif answer.status_code != 302:
            assert answer.status_code == 409
            assert "Your answers have changed since you opened this page" in answer.content.decode()


@pytest.mark.sqlite_is_enough
def test_no_interleaving_of_two_tabs_saves_what_was_not_shown(pytestconfig: pytest.Config) -> None:
    for seed in range(1000 if pytestconfig.getoption("--full") else 8):
        browser = Browser(random.Random(seed))
        for _ in range(40):
            browser.step()
        Submission.objects.all().delete()
        RateLimitCount.objects.all().delete()


def test_answers_that_changed_in_another_tab_are_shown_again_before_they_are_saved(person: Person) -> None:
    person.has_answered(IOP)
    shown = parse(person.client.get("/check/")).select_one("[name=shown]")["value"]
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    for action in ("save", "view"):
        response = person.client.post("/check/", {"action": action, "shown": shown})
        assert response.status_code == 409
        assert "maybe in another tab. Please check them again." in parse(response).select_one("[role=alert]").text
    assert not Submission.objects.exists()
    shown = parse(response).select_one("[name=shown]")["value"]
    assert person.client.post("/check/", {"action": "save", "shown": shown}).url == "/result/"
    assert Submission.objects.get().answers == BEST
