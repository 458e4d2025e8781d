"""Keys are rotated while people save, and the rotation is killed in the middle."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from tests.faults.conftest import OLD, answered, press_save
from tests.processes import Site

NEW = "a-new-key" * 6
FILL = """
from screening.models import Contact, Note, Submission
from tests.answers import IOP
for number in range(1500):
    case = Submission.objects.submit(IOP)
    wish = dict(phone="405 555 0123", name="Robin", may_text=True, may_voicemail=True, consent="yes")
    Contact.objects.create(submission=case, **wish)
"""
COUNT = "from screening.models import *; print(Submission.objects.count(), Contact.objects.filter(pk__gt=0).count())"
READ = "from screening.models import *; print(all(each.name == 'Robin' for each in Contact.objects.all()))"


def ran(site: Site, *arguments: str) -> tuple[int, str]:
    command = site.command(*arguments)
    output = command.communicate()[0]
    return command.returncode, output


def shell(site: Site, script: str) -> str:
    code, output = ran(site, "shell", "-v", "0", "-c", script)
    assert code == 0, output
    return output.strip()


def test_rotation_runs_beside_the_site_and_can_be_killed_anywhere(site: Site) -> None:
    chance = random.Random(2)
    shell(site, FILL)
    site.stop()
    site.variables["DATA_KEYS"] = f"{NEW},{OLD}"
    site.start()
    for _kill in range(6):
        command = site.command("rotate_keys")
        time.sleep(1 + chance.random() * 2)
        command.kill()
        command.communicate()
    browsers = answered(site, 40)

    def saves_after(place: int) -> bool:
        time.sleep(place * 0.15)
        return press_save(browsers[place])

    with ThreadPoolExecutor(40) as people:
        saved = people.map(saves_after, range(40))
        code, output = ran(site, "rotate_keys")
        assert all(saved)
    assert code == 0, output
    assert output.endswith("Earlier keys can leave DATA_KEYS in six hours.\n")
    site.stop()
    site.variables["DATA_KEYS"] = NEW
    site.start()
    assert shell(site, COUNT) == "1540 1500"
    assert shell(site, READ) == "True"
    for command_name in ("verify_results", "verify_log"):
        code, output = ran(site, command_name)
        assert code == 0, output
    assert all('class="reference"' in browser.get("/result/") for browser in browsers)
