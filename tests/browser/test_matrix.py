"""Every public page in every state, in both languages, at four widths, in light and in dark: what a machine can check.

The HTML of each state is taken from the site once, and shown to Chromium with the site's own style sheets.
"""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Route

from screening.center import SERVICES
from tests.answers import CLOSE_CALL, URGENT, answers
from tests.browser import second_engine
from tests.conftest import Person
from tests.public.addresses import DRAWN, SpanishClient, every_page

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

CENTERS: dict[str, dict[str, object]] = {
    "no phone": {"phone": ""},
    "offers all": dict.fromkeys(SERVICES, True),
    "offers little": {"sober_house": True},
}
LAST_CELL = answers(constant_care="always", supporters="nobody", home="others_use", health="often")
WIDTHS = (320, 390, 768, 1280)
# Left alone, axe runs every rule, those of its advice too, but not the one on the size of what one presses.
AXE: dict[str, object] = {
    "resultTypes": ["violations", "incomplete"],
    "rules": {"target-size": {"enabled": True}},
}
# A dark page is the light one in other colors.
COLORS = AXE | {"runOnly": ["color-contrast", "color-contrast-enhanced", "link-in-text-block"]}
FALSE_POSITIVES = tomllib.loads((Path(__file__).parent / "false_positives.toml").read_text())
# What it reports but what passes, each with whether its element is one of those that were judged.
SECOND_ENGINE = """async judged => {
    const { results } = await new ace.Checker().check(document, ["WCAG_2_2"]);
    const at = path => document.evaluate(path, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue;
    return results.filter(each => each.value[1] !== "PASS").map(each => ({
        rule: each.ruleId,
        text: `${each.ruleId}: ${each.message} ${each.snippet}`,
        judged: each.ruleId in judged && at(each.path.dom).matches(judged[each.ruleId].of),
    }));
}"""


@pytest.fixture(params=[Client, pytest.param(SpanishClient, marks=pytest.mark.full)], ids=["english", "spanish"])
def states(request: pytest.FixtureRequest, center_tells: Callable[..., None]) -> dict[str, str]:
    """The name and HTML of every public page in every state; of those that look alike, the first."""
    client_class = request.param
    pages = [*every_page(client_class)]
    for center, facts in CENTERS.items():
        center_tells(**facts)
        for name, given in {"close call": CLOSE_CALL, "urgent": URGENT, "last cell": LAST_CELL}.items():
            result = Person(client_class()).finishes(given, "view")
            pages.append((f"{name}, center: {center}", result.content.decode()))
        pages.append((f"start, center: {center}", client_class().get("/").content.decode()))
    alike = {DRAWN.sub("", html): (name, html) for name, html in reversed(pages)}
    return dict(reversed(alike.values()))


def serve(context: BrowserContext) -> Callable[[Page, str], None]:
    """Return what shows HTML in a page of the context, as if the site had sent it."""
    sent = {"html": ""}

    def fulfil(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            route.fulfill(path=str(finders.find(path.removeprefix("/static/"))))
        else:
            route.fulfill(body=sent["html"], content_type="text/html; charset=utf-8")

    def show(page: Page, html: str) -> None:
        sent["html"] = html
        page.goto("http://pages.test/")

    context.route("**/*", fulfil)
    return show


@pytest.fixture
def context_at(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return what opens a context of this width, in which scripts may be injected; all are closed at the end."""
    opened: list[BrowserContext] = []

    def open_context(width: int, height: int = 844, **options: Any) -> BrowserContext:
        opened.append(browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True, **options))
        return opened[-1]

    yield open_context
    for context in opened:
        context.close()


def found_by_axe(page: Page, rules: dict[str, object]) -> Iterator[str]:
    """Yield each violation, and each text in the color of its background, which axe calls only "incomplete"."""
    found = page.evaluate("options => axe.run(document, options)", rules)
    unseen = [each for each in found["incomplete"] if each["id"] == "color-contrast" and "equalRatio" in str(each)]
    for rule in found["violations"] + unseen:
        yield f"{rule['id']}: {rule['nodes'][0]['html'][:200]}"


# Elements with text of their own that stand outside of the screen, or are cut by what they stand in.
LOST = """() => [...document.querySelectorAll("body *")].filter(each => {
    const own = [...each.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || each.closest("details:not([open]) > :not(summary), .skip, .unseen, [aria-hidden=true]")) return false;
    const box = each.getBoundingClientRect();
    if (!box.width) return false;
    const cut = getComputedStyle(each).overflow !== "visible" && each.scrollHeight > each.clientHeight + 1;
    return box.left < -1 || box.right > innerWidth + 1 || cut;
}).map(each => each.outerHTML.slice(0, 150))"""
# What WCAG 1.4.12 lets people set, twice the size of text, and 400 % zoom of a screen of 1280 by 1024.
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
SPACED += "p { margin-bottom: 2em !important }"
TWICE = "html { font-size: 225% !important }"  # the site's own size is 112.5 %
LARGE = {
    "spaced": (320, 568, SPACED),
    "twice": (320, 568, TWICE),
    "400 %": (320, 256, "p {}"),
    "both": (390, 844, SPACED + TWICE),
}


# Where a reader begins: at what is wrong, or at a message, or at the heading; else the name of what has the focus.
BEGINS = """() => {
    const first = document.querySelector("[role=alert][data-focus]") ?? document.querySelector("[data-focus], h1");
    return document.activeElement === first ? "" : document.activeElement.outerHTML.slice(0, 150);
}"""


def wider_than_the_screen(page: Page) -> Iterator[str]:
    cut = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if cut > 0:
        yield f"{cut} px wider than the screen"


# What is pressed and stands by itself; a link within a sentence, or a mark of its source, may be as low as its line.
SMALL = """() => [...document.querySelectorAll("a:not(.skip, .ref), button, label.choice, summary")].filter(each => {
    const height = each.getBoundingClientRect().height;
    const inText = each.parentElement.textContent.trim() !== each.textContent.trim();
    return height > 0 && height < 44 && !(inText && getComputedStyle(each).display === "inline");
}).map(each => each.outerHTML.slice(0, 150))"""


def test_every_state_passes_axe_and_fits(states: dict[str, str], context_at: Any, pytestconfig: pytest.Config) -> None:
    context = context_at(390)
    show, page = serve(context), context.new_page()
    found = []
    for name, html in states.items():
        show(page, html)
        begins = page.evaluate(BEGINS)
        found += [f"{name} begins at {begins}"] if begins else []
        page.evaluate(Axe().axe_script)
        for width in WIDTHS if pytestconfig.getoption("--full") else (390,):
            page.set_viewport_size({"width": width, "height": 844})
            problems = [f"too small to press: {element}" for element in page.evaluate(SMALL)]
            problems += wider_than_the_screen(page)
            for scheme, rules in {"light": AXE, "dark": COLORS}.items():
                page.emulate_media(color_scheme=scheme)
                problems += [f"{scheme}: {problem}" for problem in found_by_axe(page, rules)]
            found += [f"{name}, {width} px: {problem}" for problem in problems]
    assert not found, "\n".join(found)


@pytest.mark.full
def test_every_state_holds_large_and_wide_text(states: dict[str, str], context_at: Any) -> None:
    context = context_at(320)
    show, page = serve(context), context.new_page()
    found = []
    for name, html in states.items():
        for how, (width, height, style) in LARGE.items():
            page.set_viewport_size({"width": width, "height": height})
            show(page, html)
            page.add_style_tag(content=style)
            lost = [f"lost: {element}" for element in page.evaluate(LOST)]
            found += [f"{name}, {how}: {problem}" for problem in (*wider_than_the_screen(page), *lost)]
    assert not found, "\n".join(found)


@pytest.mark.full
def test_every_state_passes_a_second_engine(states: dict[str, str], context_at: Any) -> None:
    try:
        engine = second_engine.script()
    except second_engine.NotThere as error:
        pytest.fail(str(error), pytrace=False)
    context = context_at(390)
    show, page = serve(context), context.new_page()
    found, met = [], {"text_sensory_misuse"}  # it knows the words of English only
    for name, html in states.items():
        show(page, html)
        page.evaluate(engine)
        for report in page.evaluate(SECOND_ENGINE, FALSE_POSITIVES):
            met.add(report["rule"])
            if not report["judged"]:
                found.append(f"{name}: {report['text']}")
    assert not found, "\n".join(found)
    assert met == set(FALSE_POSITIVES), "what is never reported needs no excuse"
