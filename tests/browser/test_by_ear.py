"""What a screen reader is told, read from Chromium's accessibility tree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, Page, expect

from screening.questionnaire import PAGES, Question
from screening.rules import recommend
from tests.answers import BEST, KINDS
from tests.browser.conftest import put_answers_into
from tests.public.test_words import pages_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite_is_enough,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # textstat leaves a file open
]

ONCE, SEVERAL = ("banner", "main", "contentinfo"), ("region", "navigation", "complementary", "search")


@dataclass
class Told:
    """A node of the accessibility tree, as a screen reader tells it."""

    role: str
    name: str
    description: str
    state: dict[str, Any]


def told(page: Page) -> list[Told]:
    tool = page.context.new_cdp_session(page)
    nodes = tool.send("Accessibility.getFullAXTree")["nodes"]
    tool.detach()

    def text(node: dict[str, Any], key: str) -> str:
        return " ".join(str(node.get(key, {}).get("value", "")).split())

    return [
        Told(
            text(node, "role"),
            text(node, "name"),
            text(node, "description"),
            {each["name"]: each["value"].get("value") for each in node.get("properties", [])},
        )
        for node in nodes
        if not node["ignored"]
    ]


def of_role(page: Page, *roles: str) -> list[Told]:
    return [each for each in told(page) if each.role in roles]


@pytest.fixture(params=["en", "es"])
def site(request: pytest.FixtureRequest, browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page with every question answered, whose relative addresses are those of a language."""
    prefix = "" if request.param == "en" else "/es"
    context = browser.new_context(base_url=f"{live_server.url}{prefix}/")
    put_answers_into(context, live_server.url, BEST)
    with translation.override(request.param):
        yield context.new_page()
    context.close()


def groups(questions: tuple[Question, ...], *, missing: bool) -> list[tuple[str, str, str]]:
    """Return (name, description, invalid) of the groups of these questions."""
    said = []
    for question in questions:
        hint, error = (
            gettext(question.hint) if question.hint else "",
            f"{gettext('Error:')} {gettext(question.missing)}",
        )
        described = " ".join(filter(None, (hint, error if missing else "")))
        said.append((gettext(question.text), described, "true" if missing else "false"))
    return said


def test_each_question_is_a_group_with_its_hint_its_options_and_what_is_chosen(site: Page) -> None:
    for each in PAGES:
        site.goto(f"questions/{each.slug}/")
        for missing in (False, True):
            if missing:
                site.evaluate("document.querySelectorAll(':checked').forEach(radio => { radio.checked = false })")
                site.get_by_role("button", name=gettext("Continue")).click()
                expect(site).to_have_title(re.compile(f"^{gettext('Error:')}"))
            found = of_role(site, "radiogroup", "radio")
            told_groups = [
                (group.name, group.description, group.state["invalid"]) for group in found if group.role == "radiogroup"
            ]
            assert told_groups == groups(each.questions, missing=missing), each.slug
            options = [gettext(text) for question in each.questions for text in question.options.values()]
            assert [radio.name for radio in found if radio.role == "radio"] == options
        for question in each.questions:
            *_others, last = question.options
            site.locator(f"input[name={question.key}][value={last}]").check()
        checked = [radio.name for radio in of_role(site, "radio") if radio.state["checked"] == "true"]
        assert checked == [gettext([*question.options.values()][-1]) for question in each.questions]


def test_groups_of_other_forms_are_told_too(site: Page) -> None:
    site.goto("check/")
    site.locator("button[value=save]").click()
    site.wait_for_url(re.compile("/result/$"))
    site.goto("contact/")
    site.locator("main form .button").click()
    expect(site).to_have_title(re.compile(f"^{gettext('Error:')}"))
    (group,) = of_role(site, "radiogroup")
    assert group.name == gettext("When should we call?")
    fields = {field.name: field for field in of_role(site, "textbox")}
    phone = fields[gettext("Phone")]
    assert phone.state["invalid"] == "true"
    assert gettext("Error:") in phone.description
    assert fields[gettext("E-mail")].description == gettext("Only if nobody else reads it.")


def test_place_in_the_grid_is_told_in_words(site: Page, live_server: Any) -> None:
    for given in KINDS.values():
        put_answers_into(site.context, live_server.url, given)
        site.goto("check/")
        site.locator("button[value=view]").click()
        site.wait_for_url(re.compile("/result/$"))
        site.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        nodes = told(site)
        assert [node.role for node in nodes if node.name == gettext("Where your answers place you")].count("table") == 1
        here = site.locator("td[aria-current=true]")
        assert here.inner_text().split()[0] == gettext("You")
        assert [node.name for node in nodes if node.role == "cell"].count(" ".join(here.inner_text().split())) == 1
        place = recommend(given)
        words = render_to_string("public/place.html", {"need": place.need, "support": place.support}).split()
        assert " ".join(words) in " ".join(node.name for node in nodes if node.role == "StaticText")


def shape(html: str) -> tuple[str, ...]:
    """Return what makes the landmarks of a page: their tags, and which of their headings are there."""
    tags = re.findall(r"<(?:header|main|footer|nav|section|aside|search)\b[^>]*>|\srole=\"\w+\"", html)
    headings = re.findall(r'aria-labelledby="([^"]*)"', html)
    return *tags, *(heading for heading in headings if f'id="{heading}"' in html)


# What holds no landmark is left out: it would only make the tree large.
THIN = """document.querySelectorAll(
    "main :is(p, ul, ol, dl, table, form):not([id], :has(section, nav, aside, header, footer, [role]))"
).forEach(each => each.remove())"""


def test_landmarks_are_few_and_named_on_every_page(browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    pages = {shape(html): (name, html) for name, html in (*pages_in("en"), *pages_in("es"))}
    assert len(pages) > 20
    for name, html in pages.values():
        page.set_content(html)
        page.evaluate(THIN)
        landmarks = of_role(page, *ONCE, *SEVERAL)
        assert sorted(each.role for each in landmarks if each.role in ONCE) == sorted(ONCE), name
        others = [(each.role, each.name) for each in landmarks if each.role in SEVERAL]
        assert all(called for _role, called in others), f"{name}: {others}"
        assert len({*others}) == len(others), f"{name}: {others}"
    page.close()
