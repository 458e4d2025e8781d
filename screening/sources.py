"""The publications that the rules rest on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A publication; titles stay in the language they were published in."""

    title: str
    publisher: str
    year: str
    url: str


_FAQ = Source(
    "IOP FAQs: How Intensive Outpatient Programs Work",
    "Country Road Recovery Center",
    "",
    "https://www.countryroadrc.com/blog/iop-faqs-intensive-patient-programs",
)

SOURCES = {
    "S1": _FAQ,
    "S2": _FAQ,
    "S3": _FAQ,
    "S4": _FAQ,
    "S5": _FAQ,
    "S6": _FAQ,
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
        "TIP 63: Medications for Opioid Use Disorder (PEP21-02-01-002)",
        "SAMHSA",
        "2021",
        "https://library.samhsa.gov/",
    ),
    "W5": Source(
        "National Practice Guideline for the Treatment of Opioid Use Disorder, 2020 Focused Update",
        "ASAM",
        "2020",
        "https://www.asam.org/quality-care/clinical-guidelines/national-practice-guideline",
    ),
    "A1": Source(
        "TIP 42: Substance Use Disorder Treatment for People With Co-Occurring Disorders (PEP20-02-01-004)",
        "SAMHSA",
        "2020",
        "https://library.samhsa.gov/",
    ),
    "A2": Source(
        "Florida Supplement to the Patient Placement Criteria of ASAM, Second Edition: biomedical conditions",
        "Florida Department of Children and Families",
        "2006",
        "",
    ),
    "A3": Source(
        "Florida Supplement to the Patient Placement Criteria of ASAM, Second Edition: relapse potential",
        "Florida Department of Children and Families",
        "2006",
        "",
    ),
    "H1": Source(
        "TIP 25: Substance Abuse Treatment and Domestic Violence",
        "SAMHSA",
        "1997",
        "https://www.ncbi.nlm.nih.gov/books/NBK64437/",
    ),
    "P1": Source(
        "External Appeals Database",
        "New York State Department of Financial Services",
        "",
        "https://www.dfs.ny.gov/public-appeal/search",
    ),
}
