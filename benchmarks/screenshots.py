"""`make screenshots`: the pictures in README.md and docs/, taken of the real site with demo facts and submissions.

Each shows one screen, or the part of a page that is spoken of, and stays small.
"""

import base64
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from django_otp.oath import TOTP
from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, on_page
from tests.browser.test_on_your_website import BUTTONS
from tests.processes import ROOT, Site

IMAGES = ROOT / "docs" / "images"
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=800)
PART = ViewportSize(width=1000, height=1200)  # of which parts are shown, as wide as a column of a document
MARGIN = 8  # around them
QUESTION = "constant_care"
CASES = "/admin/screening/submission/"
PASSWORD = "only for the pictures"
GROUND = '<div style="background: {color}; padding: 8px 24px">{links}</div>'
STAFF = f"""
from django.contrib.auth.models import Group, User
for name, role in (("cora", "contact"), ("rita", "reviewer")):
    User.objects.create_user(name, password="{PASSWORD}", is_staff=True).groups.add(Group.objects.get(name=role))
"""


def shot(page: Page, name: str, *parts: Locator) -> None:
    """Take a picture of what is in view, or of the rectangle around these parts."""
    page.evaluate("document.activeElement?.blur()")
    page.mouse.move(0, 0)
    asked: dict[str, Any] = {"format": "webp", "quality": 80}
    if boxes := [box for part in parts if (box := part.bounding_box())]:
        scrolled = page.evaluate("scrollY")
        left, top = (max(0, min(box[side] for box in boxes) - MARGIN) for side in ("x", "y"))
        width = max(box["x"] + box["width"] for box in boxes) + MARGIN - left
        height = max(box["y"] + box["height"] for box in boxes) + MARGIN - top
        width = min(width, page.evaluate("innerWidth") - left)
        asked |= {"quality": 65, "clip": {"x": left, "y": top + scrolled, "width": width, "height": height, "scale": 1}}
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    (IMAGES / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def page_at(browser: Browser, site: Site, **options: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url, **options)
    yield context.new_page()
    context.close()


def answer(page: Page, start: str, taking: dict[str, str]) -> None:
    """Answer every question; take the pictures that are named by page on the way."""
    page.goto(start)
    if "start" in taking:
        shot(page, taking["start"])
    page.locator("main .button").first.click()
    for each in PAGES:
        for key, value in on_page(each, CLOSE_CALL).items():
            page.locator(f'input[name="{key}"][value="{value}"]').check()
        if each.slug in taking:
            shot(page, taking[each.slug])
        page.locator("form .button.wide").click()


def walk(browser: Browser, site: Site) -> None:
    """Take the pictures that a person sees."""
    with page_at(browser, site, viewport=PHONE) as page:
        answer(page, "/", {"start": "tour-start", QUESTION: "tour-question"})
        shot(page, "tour-check")
        page.locator("button[value=save]").click()
        shot(page, "tour-result")
        page.set_viewport_size(DESK)
        shot(page, "tour-result-wide")
    with page_at(browser, site, viewport=PHONE, color_scheme="dark") as page:
        answer(page, "/es/", {QUESTION: "tour-question-spanish-dark"})
        page.locator("button[value=view]").click()
        shot(page, "tour-result-spanish-dark")


def give_password(page: Page, name: str, password: str) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Sign in for the first time, and set up the second factor."""
    give_password(page, name, password)
    key = page.locator(".second-factor code").inner_text().replace(" ", "")
    totp = TOTP(base64.b32decode(key + "=" * (-len(key) % 8)))
    totp.time = time.time()
    page.get_by_label("Code").fill(f"{totp.token():06}")
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("link", name="I have written them down").click()


def open_first(page: Page, queue: str) -> None:
    page.goto(CASES + queue)
    page.goto(page.locator("#result_list th a").first.get_attribute("href") or "")


def work(browser: Browser, site: Site) -> None:
    """Take the pictures of the desk as whole screens."""
    with page_at(browser, site, viewport=DESK) as page:
        sign_in(page, "staff", site.password)
        page.goto(f"{CASES}?queue=due")
        shot(page, "tour-desk-queue")
        open_first(page, "?queue=due")
        shot(page, "tour-desk-case")


def call(browser: Browser, site: Site) -> None:
    """Take the pictures of docs/staff-guide.md that who calls people sees."""
    with page_at(browser, site, viewport=PART) as page:
        sign_in(page, "cora")
        shot(page, "staff-front", page.locator("#content h1"), page.locator(".queues"))
        open_first(page, "?queue=urgent")
        reach = page.locator("section[aria-labelledby=reach]")
        shot(page, "staff-case", page.locator("#content h1"), reach, page.locator(".work .results"))
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Reveal name and number").click()
        number = opened.value
        shot(number, "staff-number", number.locator("#content h1"), number.locator("#content-main"))
        page.goto("/admin/assisted/")
        page.get_by_label("Letters from the paper, in one row").fill("AAAAA AA DC BA AAA BAAAA")
        page.get_by_role("button", name="See the result").first.click()
        shot(page, "staff-screening", page.locator(".side-by-side"), page.locator("section[aria-labelledby=keep]"))
    with page_at(browser, site, viewport=PART) as page:
        give_password(page, "cora", PASSWORD)
        shot(page, "staff-code", page.locator("#container"))


def judge(browser: Browser, site: Site) -> None:
    """Take the pictures of docs/staff-guide.md that who reviews sees."""
    with page_at(browser, site, viewport=PART) as page:
        page.clock.install()
        sign_in(page, "rita")
        open_first(page, "")  # what the person of the tour has saved
        panel, result = page.locator(".work"), page.locator("section[aria-labelledby=result]")
        page.set_viewport_size(PART | {"height": 700})
        result.evaluate("each => each.scrollIntoView(false)")
        answers = page.locator("section[aria-labelledby=answers] tbody").last
        shot(page, "staff-blind", answers, result, panel.locator(".foot"))
        open_first(page, "?queue=nobody_to_reach")
        page.get_by_label("Sentence; whoever has the code can read it").select_option(index=1)
        page.get_by_text("This result was unsafe").click()
        page.evaluate("scrollTo(0, 0)")
        bottom = panel.evaluate("each => each.getBoundingClientRect().top + each.scrollHeight")
        page.set_viewport_size(PART | {"height": round(bottom)})  # where the buttons are
        shot(page, "staff-work", page.locator("[name=_agree]"), panel.locator(".foot"))
        page.clock.fast_forward("13:10")
        shot(page, "staff-idle", page.locator("#live"), page.locator("#header"))


def button(browser: Browser) -> None:
    """Take the picture of docs/on-your-website.md: its two buttons, on a white ground and on a black one."""
    links = "".join(f"<p>{link}</p>" for link in BUTTONS)
    with closing(browser.new_page(viewport=DESK)) as page:
        page.set_content(
            '<body style="align-items: start; display: flex">'
            + "".join(GROUND.format(color=color, links=links) for color in ("#fff", "#111"))
        )
        shot(page, "website-button", *page.locator("div").all())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        facts = {"CENTER_NAME": "Country Road Recovery Center", "CENTER_PHONE": "(405) 555-0100"}
        site = Site(Path(folder) / "var", SECOND_FACTOR="on", **facts)
        try:
            site.add_demo_submissions()
            for command in (("shell", "--command", STAFF), ("blind_pilot", "1")):
                assert site.command(*command).wait() == 0
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            button(browser)
            for pictures in (walk, work, call, judge):
                pictures(browser, site)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
