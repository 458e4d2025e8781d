"""A question can be taken away with its rules: the site goes on, or says at its start what still uses the question."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from screening.questionnaire import QUESTIONS

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).parents[1]
WALK = """
import django
django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
from django.test import Client
from screening.questionnaire import PAGES
person = Client()
for rank in (0, -1):  # the least answers, then the worst
    for page in PAGES:
        answers = {question.key: list(question.options)[rank] for question in page.questions}
        assert person.post(f"/questions/{page.slug}/", answers).status_code == 302, page
    assert person.get("/check/").status_code == 200
    assert person.post("/check/", {"action": "view"}).status_code == 302
    for address in ("/result/", "/help/", "/how-it-works/", "/paper/", "/rules.json", "/fhir/Questionnaire"):
        assert person.get(address).status_code == 200, address
"""


class Remover(ast.NodeTransformer):
    """Takes a question out of the declaration, the table of rules, what its answers replace, and the personas."""

    def __init__(self, key: str) -> None:
        self.key = key

    def is_the_question(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="Question"), args=[ast.Constant(value=key), *_]):
                return bool(key == self.key)
        return False

    def is_about_it(self, node: ast.expr | None) -> bool:
        """Return whether the key of a dict is the question, or a row of the table of rules that reads it."""
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            return False
        _rule, *cells = node.value.split("|")
        return node.value == self.key or bool(cells and self.key in re.split(r"[ ,]+", cells[0]))

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        node.elts = [element for element in node.elts if not self.is_the_question(element)]
        return self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        kept = [pair for pair in zip(node.keys, node.values, strict=True) if not self.is_about_it(pair[0])]
        node.keys, node.values = [key for key, _value in kept], [value for _key, value in kept]
        return self.generic_visit(node)


def copy_to(folder: Path) -> None:
    for part in ("screening", "intake_site", "templates"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))


def walk(folder: Path) -> subprocess.CompletedProcess[str]:
    """Walk through the copy of the site in this folder."""
    environment = os.environ | {"PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "intake_site.settings"}
    environment |= {"DATABASE_URL": "sqlite://:memory:", "VAR_DIR": str(folder), "HTTPS": "off"}
    command = [sys.executable, "-c", WALK]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def without(key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Walk through a copy of the site that no longer asks this question."""
    copy_to(folder)
    for file in ("questionnaire.py", "rules/current.py", "rules/personas.py"):
        path = folder / "screening" / file
        path.write_text(ast.unparse(Remover(key).visit(ast.parse(path.read_text()))))
    return walk(folder)


SOME = ("self_harm", "attendance", "home", "pregnancy")  # of each kind one: they start a site each


@pytest.mark.parametrize(
    "key", [key if key in SOME else pytest.param(key, marks=pytest.mark.full) for key in QUESTIONS]
)
def test_every_page_stands_without_it_or_the_site_does_not_start(key: str, tmp_path: Path) -> None:
    ran = without(key, tmp_path)
    refused = [line for line in ran.stderr.splitlines() if line.startswith("ValueError") and repr(key) in line]
    assert not ran.returncode or refused, ran.stderr[-2000:]


@pytest.mark.parametrize(
    ("fact", "misspelled"),
    [
        ('help_lines={"past": ("988",)}', 'help_lines={"past": ("989",)}'),
        ('help_lines={"past": ("988",)}', 'help_lines={"passed": ("988",)}'),
    ],
)
def test_misspelled_fact_beside_the_rules_stops_the_start(fact: str, misspelled: str, tmp_path: Path) -> None:
    copy_to(tmp_path)
    path = tmp_path / "screening/questionnaire.py"
    text = path.read_text()
    assert fact in text
    path.write_text(text.replace(fact, misspelled))
    wrong = (set(re.findall(r"\w+", misspelled)) - set(re.findall(r"\w+", fact))).pop()
    assert re.search(rf"^ValueError: .*{wrong}", walk(tmp_path).stderr, re.MULTILINE)
