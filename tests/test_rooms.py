"""The three rooms: which part of the code may import which (docs/decisions/0016)."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).parents[1]
FORBIDDEN = {  # room -> what it must not import, and what of that it may
    "rules": (("screening", "intake_site", "django"), ("screening.rules", "screening.questionnaire")),
    "questionnaire.py": (("screening", "intake_site", "django"), ()),
    "public": (("screening.desk", "screening.admin", "django.contrib.admin"), ()),
    "desk": (("screening.public",), ()),
    "hall": (("screening.public", "screening.desk", "screening.admin"), ()),
}
FOR_DJANGO = {"screening/admin.py", "screening/apps.py"}  # where Django looks for what is in a room


def room_of(path: Path) -> str:
    room = path.relative_to(ROOT / "screening").parts[0]
    return room if room in FORBIDDEN else "hall"


def imports(path: Path) -> set[str]:
    """The modules that a file imports; "from a import b" counts as a and as a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "screening").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_file_imports_only_what_its_room_may(path: Path) -> None:
    if str(path.relative_to(ROOT)) not in FOR_DJANGO:
        forbidden, allowed = FORBIDDEN[room_of(path)]
        assert not {name for name in imports(path) if is_in(name, forbidden) and not is_in(name, allowed)}


def test_there_are_files_in_every_room() -> None:
    assert {room_of(path) for path in (ROOT / "screening").rglob("*.py")} == set(FORBIDDEN)
