"""The site is killed while people save: what it confirmed is there, and nothing is there twice."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from tests.faults.conftest import answered, press_save
from tests.processes import Browser, Site

KILLS, PEOPLE = 12, 8


def test_nothing_that_was_confirmed_is_lost_and_nothing_is_kept_twice(site: Site) -> None:
    chance = random.Random(1)
    kept = 0
    for _kill in range(KILLS):
        browsers = answered(site, PEOPLE)
        confirmed: dict[int, bool] = {}

        def press(browser: Browser, place: int, confirmed: dict[int, bool] = confirmed) -> None:
            time.sleep(chance.random() * 0.3)
            try:
                confirmed[place] = press_save(browser)
            except OSError:
                confirmed[place] = False

        with ThreadPoolExecutor(PEOPLE) as people:
            for place, browser in enumerate(browsers):
                people.submit(press, browser, place)
            time.sleep(chance.random() * 0.4)
            site.kill()
        site.start()
        for place, browser in enumerate(browsers):
            if confirmed[place]:
                assert 'class="reference"' in browser.get("/result/")
            else:
                assert press_save(browser), "it can be pressed again"
        kept += PEOPLE
        assert stored(site) == kept


def stored(site: Site) -> int:
    command = site.command(
        "shell", "-v", "0", "-c", "from screening.models import *; print(Submission.objects.count())"
    )
    return int(command.communicate()[0])
