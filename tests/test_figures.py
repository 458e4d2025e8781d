"""The limits that an operator reads of in the documents are those of the code, and neither changes alone."""

from pathlib import Path

import pytest
from django.conf import settings

from intake_site import logs, mail, postgresql, server, worker
from screening import accounts, center, clock, draft, notifications, rate_limits
from screening.desk import model_admin, sessions, sign_in
from screening.models.counts import SKEW

pytestmark = pytest.mark.sqlite_is_enough

DOCS = Path(__file__).parents[1] / "docs"
WORDS = {2: "two", 3: "three", 5: "five", 6: "six", 10: "ten"}
INTERVALS = {name.rpartition(".")[2]: seconds for seconds, name, options in server.JOBS if not options}


@pytest.mark.parametrize(
    ("document", "sentence", "figure"),
    [
        ("deploy.md", "a request must come within {} seconds", worker.SECONDS),
        ("deploy.md", "and with at most {} kB", settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024),
        ("deploy/nginx.conf", "client_max_body_size {}k;", settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024),
        ("decisions/0021-threads-never-wait-for-a-client.md", "more than {} connections", server.worker_connections),
        ("decisions/0021-threads-never-wait-for-a-client.md", "There are {} threads", server.threads),
        ("decisions/0021-threads-never-wait-for-a-client.md", "for {word} seconds at most", worker.SENDING),
        ("scaling.md", "{:,} an hour for all", rate_limits.SAVE.total),
        ("scaling.md", "{} for one address", rate_limits.SAVE.per_client),
        ("scaling.md", "counts no further than {:,}", model_admin.CappedPaginator.MOST),
        ("scaling.md", "each worker keeps up to {}", postgresql.pool(1)["max_size"]),
        ("scaling.md", "all of a machine up to {}", postgresql.CONNECTIONS),
        ("scaling.md", "clocks within {word} minutes", SKEW.seconds / 60),
        ("operate.md", "chains every {word} seconds", INTERVALS["chain"]),
        ("operate.md", "sends what is due every {} seconds", INTERVALS["send_due"]),
        ("operate.md", "has not taken a message within {} seconds", mail.SECONDS),
        ("operate.md", "nothing has tried to send for {word} minutes", notifications.OVERDUE / 60),
        ("operate.md", "At most one mail is sent in {word} minutes", logs.ErrorMail.every / 60),
        ("operate.md", "After more than {word} days nothing is erased", clock.JUMP.days),
        ("operate.md", "for {} days are closed", accounts.UNUSED_AFTER.days),
        ("operate.md", "A session ends after {} idle minutes", sessions.IDLE_TIMEOUT / 60),
        ("operate.md", "and after {} hours in all", sessions.ABSOLUTE_TIMEOUT / 3600),
        ("decisions/0023-sign-in-under-attack.md", "longer than {word} seconds is told", sign_in.WAIT),
        ("decisions/0023-sign-in-under-attack.md", "After {} wrong passwords for one name", sign_in.CODE_AFTER),
        ("decisions/0023-sign-in-under-attack.md", "by {} wrong tries", rate_limits.ANYWHERE.per_client),
        ("decisions/0025-a-clock-that-is-wrong.md", "in the future by more than {word} minutes", SKEW.seconds / 60),
        ("decisions/0027-facts-of-the-center.md", "every {} seconds in a thread of its own", INTERVALS["refresh"]),
        ("decisions/0027-facts-of-the-center.md", "finds it older than {} seconds", center.FRESH),
        ("decisions/0022-what-a-copied-cookie-opens.md", "A draft ends {word} hours", draft.LONGEST_SECONDS / 3600),
    ],
)
def test_figure_in_a_document_is_that_of_the_code(document: str, sentence: str, figure: float) -> None:
    assert figure == int(figure)
    words = sentence.format(int(figure), word=WORDS.get(int(figure)))
    assert words in " ".join((DOCS / document).read_text().split())


def test_database_gives_up_before_the_page_does() -> None:
    assert postgresql.LIMITS["lock_timeout"] < postgresql.LIMITS["statement_timeout"] < 1000 * postgresql.ANSWER
    assert postgresql.PROBE < postgresql.pool(1)["timeout"] < 3, "a refusal comes within three seconds"
