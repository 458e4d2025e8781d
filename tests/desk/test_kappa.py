"""Cohen's kappa and its confidence interval agree with published examples."""

import pytest

from screening.desk.kappa import Agreement

pytestmark = pytest.mark.sqlite_is_enough

# The sources of the first four show each step; the source of the last gives the interval, too.
EXAMPLES = (
    # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003, table 18.1
    ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.89, 0.676, None),
    # Wikipedia, Cohen's kappa: the grant proposals with two readers, and the two tables with the same percent agreement
    ([[20, 5], [10, 15]], 0.70, 0.40, None),
    ([[45, 15], [25, 15]], 0.60, 0.1304, None),
    ([[25, 35], [5, 35]], 0.60, 0.2593, None),
    # SAS/STAT User's Guide, The FREQ Procedure, "Agreement study": two dermatologists
    ([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]], 0.5114, 0.3449, 0.0724),
)


@pytest.mark.parametrize(("table", "observed", "kappa", "error"), EXAMPLES)
def test_published_examples_come_out_as_published(
    table: list[list[int]], observed: float, kappa: float, error: float | None
) -> None:
    agreement = Agreement(table)
    assert agreement.observed == pytest.approx(observed, abs=5e-5)
    assert agreement.kappa == pytest.approx(kappa, abs=5e-4)
    if error:
        assert agreement.error == pytest.approx(error, abs=5e-4)


def test_interval_of_the_published_example() -> None:
    assert Agreement(EXAMPLES[-1][0]).interval == pytest.approx((0.2030, 0.4868), abs=5e-5)


def test_who_is_first_makes_no_difference() -> None:
    for table, *_rest in EXAMPLES:
        turned = Agreement([list(column) for column in zip(*table, strict=True)])
        assert turned.kappa == pytest.approx(Agreement(table).kappa)
        assert turned.interval == pytest.approx(Agreement(table).interval)


def test_agreement_without_any_difference_is_perfect_and_claims_no_interval() -> None:
    agreement = Agreement([[12, 0], [0, 8]])
    assert (agreement.observed, agreement.kappa, agreement.interval) == (1, 1, None)


def test_kappa_of_judges_who_always_say_the_same_one_thing_is_none() -> None:
    agreement = Agreement([[20, 0], [0, 0]])
    assert (agreement.observed, agreement.kappa, agreement.interval) == (1, None, None)
    assert Agreement([[0, 20], [0, 0]]).kappa == 0


def test_interval_ends_at_the_ends_of_the_scale() -> None:
    low, high = Agreement([[19, 1], [0, 1]]).interval or (0, 0)
    assert -1 <= low < high == 1
