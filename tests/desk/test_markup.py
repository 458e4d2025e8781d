"""The pages of the desk as a screen reader meets them: names, headings, labels, and what is on."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from screening.desk.queues import QUEUES
from screening.models import Note, Review, Status, Submission, Try
from tests.answers import CLOSE_CALL, IOP, URGENT, answers
from tests.desk.helpers import CASES, form_of, member, send, submit, url_of
from tests.desk.test_roles import PAGES, address
from tests.helpers import parse, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]


def text_of_ids(page: BeautifulSoup, ids: str) -> str:
    return " ".join(named.text for each in ids.split() if (named := page.find(id=each)))


def name_of(page: BeautifulSoup, tag: Tag) -> str:
    """Return the name that the page gives to an element by ARIA, a legend, a caption, a label, or its text."""
    labels = page.select(f'label[for="{tag.get("id")}"]') if tag.get("id") else []
    around = [*labels, tag.find(["legend", "caption"], recursive=False), tag.find_parent("label")]
    texts = [each.text for each in around if each]
    own = [str(tag.get("aria-label", "")), text_of_ids(page, str(tag.get("aria-labelledby", "")))]
    return " ".join([*own, *texts]).strip()


def faults(page: BeautifulSoup) -> Iterator[str]:
    """Yield what a screen reader would stumble over."""
    for svg in page.select("svg:not(.base-svgs)"):
        if svg.get("aria-hidden") != "true" and not (svg.get("role") == "img" and name_of(page, svg)):
            yield f"no name: {str(svg)[:80]}"
    for image in page.select("img:not([alt])"):
        yield f"no alt: {image}"
    for named in page.select("fieldset, form[role], nav, aside, table:not(#result_list), [role=group], [role=region]"):
        if not name_of(page, named):
            yield f"no name: {str(named)[:80]}"
    for group in page.select("fieldset"):
        if not (group.legend and group.legend.text.strip()):
            yield f"no legend: {str(group)[:80]}"
    for field in page.select("input:not([type=hidden], [type=submit], [hidden]), select, textarea"):
        if not name_of(page, field):
            yield f"no label: {field}"
    for label in page.select("label"):
        if not (label.select("input, select, textarea") or page.find(id=str(label.get("for", "none")))):
            yield f"no field: {label}"
    for button in page.select("button:not([hidden]), a"):
        if not (button.text.strip() or button.get("aria-label")):
            yield f"no words: {button}"
    levels = [1, *(int(heading.name[1]) for heading in page.select("h1, h2, h3, h4, h5, h6"))]
    yield from (f"h{one} before h{two}" for one, two in pairwise(levels) if two > one + 1)
    for selector in ("h1", "main"):
        if len(page.select(selector)) != 1:
            yield f"{len(page.select(selector))} × {selector}"
    ids = [tag["id"] for tag in page.select("[id]")]
    yield from (f"{each} twice" for each in {*ids} if ids.count(each) > 1)
    navigations = [name_of(page, tag) for tag in page.select("nav")]
    yield from (f"{name} twice" for name in {*navigations} if navigations.count(name) > 1)


@pytest.fixture
def cases() -> dict[str, Submission]:
    author = member("rita", "reviewer")
    urgent = submit(URGENT, call=True)
    for struck_at in (None, urgent.received_at):
        Note.objects.create(submission=urgent, text="Called.", author=author, struck_at=struck_at)
        Try.objects.create(submission=urgent, result=Try.Result.NO_ANSWER, author=author, struck_at=struck_at)
    Review.objects.create(submission=urgent, program="iop", agrees=False, reason="A bed at home.", author=author)
    closed = submit(CLOSE_CALL, status=Status.CLOSED, outcome="iop")
    return {"urgent": urgent, "closed": closed, "blind": submit(IOP, blind=True)}


REFUSED = {  # address -> what is sent that is not accepted
    f"{CASES}export/": {},
    "/admin/center/": {"monday": "8-8"},
    "/admin/assisted/": {"action": "ask", "letters": "Z"},
    "/admin/auth/user/add/": {},
    "/admin/password_change/": {},
}


def pages(client: Client, cases: dict[str, Submission]) -> Iterator[tuple[str, Any]]:
    """Yield the name of each page of the desk, and its response: all that are open to GET, in several states."""
    User.objects.create_user("leaver", is_staff=True)
    urgent = cases["urgent"]
    yield from ((name, client.get(address(name, urgent))) for name in PAGES)
    yield from ((name, client.get(url_of(case))) for name, case in cases.items())
    for query in ("queue=due", "queue=mine", "status__exact=new", "q=AAAA-AAAA", "queue=due&status__exact=closed"):
        yield query, client.get(f"{CASES}?{query}")
    yield "revealed", client.post(url_of(urgent, "reveal"))
    yield "gone", client.get("/admin/nothing/")
    yield "signed out", Client().post(url_of(urgent), {"notes-0-text": "She will call again."})
    yield "sign in", Client().get("/admin/login/")
    yield "case refused", send(client, urgent, form_of(client, urgent), status="closed")
    yield from ((f"{each} refused", client.post(each, sent)) for each, sent in REFUSED.items())


def test_pages_of_the_desk_have_names_headings_and_labels(staff_client: Client, cases: dict[str, Submission]) -> None:
    found, seen = set(), set()
    for name, response in pages(staff_client, cases):
        if response.status_code != 302 and response.get("Content-Type", "").startswith("text/html"):
            seen.add(name)
            found |= {f"{name}: {fault}" for fault in faults(parse(response))}
    assert not found, "\n".join(sorted(found))
    assert len(seen) > 30  # the rest redirect, or answer a script


def test_text_runs_in_the_direction_of_what_is_written_wherever_staff_write_or_read_it(
    staff_client: Client, cases: dict[str, Submission]
) -> None:
    written, otherwise = set[str](), set[str]()
    for _name, response in pages(staff_client, cases):
        page = BeautifulSoup(getattr(response, "content", b""), "lxml")
        for field in page.select("textarea, input:is([type=text], [type=email], :not([type])):not([hidden])"):
            (written if field.get("dir") == "auto" else otherwise).add(str(field.get("name")))
        assert all(said.find_parent(dir="auto") for said in page.select(".said p:not(.help, :has(strong))"))
    assert written >= {"q", "username", "letters", "notes-0-text", "reviews-0-reason", "unsafe_reason", "phone"}
    assert otherwise == set()


@pytest.mark.parametrize(
    "html",
    [
        "<svg></svg>",
        "<fieldset><label>a<input></label></fieldset>",
        "<fieldset aria-label=a></fieldset>",
        "<form role=search></form>",
        "<h3>a</h3>",
        "<input id=a>",
        "<label>a</label>",
        "<table></table>",
        "<p id=a></p><p id=a></p>",
        "<a href=b></a>",
        "<main></main>",
        "<nav></nav>",
    ],
)
def test_fault_is_found(html: str) -> None:
    sound = "<main><h1>a</h1></main>"
    assert not list(faults(BeautifulSoup(sound, "lxml")))
    assert list(faults(BeautifulSoup(sound + html, "lxml")))


def test_refused_save_takes_the_focus_to_what_is_wrong(staff_client: Client, cases: dict[str, Submission]) -> None:
    urgent = cases["urgent"]
    responses = [staff_client.post(each, sent) for each, sent in REFUSED.items()]
    for response in [*responses, send(staff_client, urgent, form_of(staff_client, urgent), status="closed")]:
        page = parse(response)
        (alert,) = page.select('[role="alert"][tabindex="-1"]')
        assert page.title
        assert page.title.text.strip().startswith("Error:")
        ids = {tag["id"] for tag in page.select("[id]")}
        assert {str(link["href"])[1:] for link in alert.select("a")} <= ids


def test_enter_in_a_field_of_a_case_saves_and_records_no_attempt(
    staff_client: Client, cases: dict[str, Submission]
) -> None:
    form = parse(staff_client.get(url_of(cases["urgent"]))).select_one("#submission_form")
    assert form
    first = form.select_one("button:not([type=button], [form]), input[type=submit]")
    assert first
    assert first["name"] == "_save"  # a browser presses the first one


def chips(client: Client, query: str) -> list[tuple[str, str]]:
    links = parse(client.get(CASES + query)).select(".chips a")
    return [(" ".join(link.text.split()), str(link["href"])) for link in links]


def test_what_filters_the_list_is_shown_and_cleared_one_by_one_or_at_once(staff_client: Client) -> None:
    submit(IOP)
    assert chips(staff_client, "?queue=due") == []
    assert chips(staff_client, "?queue=due&status__exact=new&assigned_to__isnull=True") == [
        ("Status: New ×(take away)", "?assigned_to__isnull=True&queue=due"),
        ("Assigned to: nobody ×(take away)", "?queue=due&status__exact=new"),
        ("Clear all", "?queue=due"),
    ]
    assert chips(staff_client, "?q=AAAA-AAAA")[0] == ("Search: AAAA-AAAA ×(take away)", "?")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?queue=mine", "Nothing is assigned to you."),
        ("?queue=mine&status__exact=new", "Nothing fits all of these filters together."),
        ("?q=AAAA-AAAA", "Nothing was found for “AAAA-AAAA”. Reference or phone: In full"),
        ("", "There is nothing here yet."),
    ],
)
def test_empty_list_says_what_it_means(staff_client: Client, query: str, words: str) -> None:
    assert words in text_of(staff_client.get(CASES + query), "p.empty")


def test_queues_are_tabs_of_the_list_and_the_one_in_view_is_marked(staff_client: Client) -> None:
    page = parse(staff_client.get(f"{CASES}?queue=mine"))
    assert [link.text for link in page.select(".tabs a")] == ["All cases", *(str(queue.title) for queue in QUEUES)]
    assert [link.text for link in page.select('.tabs [aria-current="page"]')] == ["Mine"]


@pytest.mark.parametrize(
    ("given", "mark"),
    [
        (answers(self_harm="plan"), ("now", "Now")),
        (answers(self_harm="attempt"), ("today", "Today")),
        (answers(self_harm="thoughts"), ("ask", "Soon: ask about suicide")),
        (answers(self_harm="rather_not_say"), ("ask", "Soon: ask about suicide")),
        (answers(overdose="not_sure"), ("soon", "Soon")),
        (answers(), ("none", "None")),
    ],
)
def test_urgency_has_a_mark_of_its_own_in_the_list_and_the_case(
    staff_client: Client, given: dict[str, str], mark: tuple[str, str]
) -> None:
    case = submit(given, blind=True)  # urgency is never hidden
    for address_of_page in (CASES, url_of(case)):
        (shown,) = parse(staff_client.get(address_of_page)).select(".urgency")
        assert (shown.get_attribute_list("class")[1], shown.text) == mark


def test_dark_colours_are_the_same_by_the_browser_and_by_the_switch() -> None:
    css = (settings.BASE_DIR / "screening/static/screening/tokens.css").read_text()
    by_browser, by_switch = (part.split("}")[0].split() for part in css.split("--ground: #151c1b;")[1:])
    assert by_browser == by_switch
