"""The publications that the rules rest on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A publication; the title is in its own language."""

    title: str
    publisher: str
    year: str
    url: str

    def __post_init__(self) -> None:
        if not all((self.title, self.publisher, self.year, self.url)):
            raise ValueError(f"source {self.title!r} needs a title, a publisher, a year and an address")


_FAQ = Source(
    "IOP FAQs: How Intensive Outpatient Programs Work",
    "Country Road Recovery Center",
    "undated",
    "https://www.countryroadrc.com/blog/iop-faqs-intensive-patient-programs",
)

SOURCES = {
    **dict.fromkeys(("S1", "S2", "S3", "S4", "S5", "S6"), _FAQ),
    "I1": Source(
        "Advisory: Clinical Issues in Intensive Outpatient Treatment for Substance Use Disorders (PEP20-02-01-021)",
        "Substance Abuse and Mental Health Services Administration (SAMHSA)",
        "2021",
        "https://library.samhsa.gov/",
    ),
    "I2": Source(
        "Substance Abuse Intensive Outpatient Programs: Assessing the Evidence",
        "McCarty and others, Psychiatric Services",
        "2014",
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC4152944/",
    ),
    "W1": Source(
        "Management of Alcohol Withdrawal in the Emergency Department: Current Perspectives, table 3",
        "Wolf and others, Open Access Emergency Medicine 12:53–65",
        "2020",
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC7093658/",
    ),
    "W2": Source(
        "Clinical Practice Guideline on Alcohol Withdrawal Management",
        "American Society of Addiction Medicine (ASAM)",
        "2020",
        "https://www.asam.org/quality-care/clinical-guidelines/alcohol-withdrawal-management-guideline",
    ),
    "W3": Source(
        "Joint Clinical Practice Guideline on Benzodiazepine Tapering",
        "ASAM and others, Journal of General Internal Medicine",
        "2025",
        "https://pubmed.ncbi.nlm.nih.gov/40526204/",
    ),
    "W4": Source(
        "TIP 63: Medications for Opioid Use Disorder, Updated 2021",
        "SAMHSA",
        "2021",
        "https://www.ncbi.nlm.nih.gov/books/NBK574910/",
    ),
    "W5": Source(
        "National Practice Guideline for the Treatment of Opioid Use Disorder, 2020 Focused Update; with SAMHSA’s "
        "Advisory: Evidence-Based, Whole-Person Care for Pregnant People Who Have Opioid Use Disorder, May 2023",
        "ASAM",
        "2020",
        "https://www.asam.org/quality-care/clinical-guidelines/national-practice-guideline",
    ),
    "A1": Source(
        "TIP 42: Substance Use Disorder Treatment for People With Co-Occurring Disorders, Updated 2020",
        "SAMHSA",
        "2020",
        "https://www.ncbi.nlm.nih.gov/books/NBK571020/",
    ),
    "A2": Source(
        "Florida Supplement to the Patient Placement Criteria of ASAM, Second Edition: biomedical conditions",
        "Florida Department of Children and Families, Substance Abuse Program (on request)",
        "2006",
        "https://www.myflfamilies.com/",
    ),
    "A3": Source(
        "Florida Supplement to the Patient Placement Criteria of ASAM, Second Edition: relapse potential",
        "Florida Department of Children and Families, Substance Abuse Program (on request)",
        "2006",
        "https://www.myflfamilies.com/",
    ),
    "H1": Source(
        "TIP 25: Substance Abuse Treatment and Domestic Violence",
        "SAMHSA",
        "1997",
        "https://www.ncbi.nlm.nih.gov/books/NBK64437/",
    ),
    "P1": Source(
        "External Appeals Searchable Archive: decisions on residential care for substance use",
        "New York State Department of Financial Services",
        "added to each year",
        "https://www.dfs.ny.gov/public-appeal/search",
    ),
}
