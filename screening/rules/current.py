"""The rules in force, as data: which program fits a complete set of answers, how urgent a call is, and why.

A change here is a new version: add it to VERSIONS, then `manage.py freeze_rules` (docs/changing-the-rules.md).
How rules decide is in ruleset.py.

Not clinically validated. Nothing here needs Django: words are English and are translated where they are shown.
"""

from dataclasses import dataclass
from datetime import date

from screening.questionnaire import QUESTIONS, _
from screening.rules.ruleset import DUTIES_DECIDE, RuleSet, notices_of, rules_of


@dataclass(frozen=True)
class Approval:
    """Who approved a version, and the hash of the frozen file that they read."""

    name: str
    role: str
    licence: str
    day: date
    sha256: str


@dataclass(frozen=True)
class Version:
    """A released version of the rules, what changed with it, and who approved it."""

    version: str
    released: date
    changes: str
    approval: Approval | None = None


VERSIONS = (  # the last is in force
    Version("2026.1", date(2026, 11, 23), _("The first version.")),
    Version(
        "2026.2",
        date(2026, 11, 28),
        _(
            "We ask about an overdose, about hurting others, and about stopping in more detail. A home, a job or a "
            "ride no longer counts as a need for care. More answers lead to “both could fit”, and to help today."
        ),
    ),
)

# (need, support) -> program
GRID = {
    ("low", "strong"): "iop",
    ("low", "some"): "iop",
    ("low", "weak"): DUTIES_DECIDE,
    ("some", "strong"): "iop",
    ("some", "some"): DUTIES_DECIDE,
    ("some", "weak"): DUTIES_DECIDE,
    ("high", "strong"): "inpatient",
    ("high", "some"): "inpatient",
    ("high", "weak"): "inpatient",
}

# key | whether it is about programs | sources: the words; the most dangerous first
# fmt: off
NOTICES = notices_of({
    "dont_stop_alone | | W1, W2, W3":
        _("Please don’t stop on your own. If you drink or take calming drugs every day, stopping at once can cause a seizure. See a doctor first. If you shake badly, see things or have a seizure, call 911."),
    "naloxone | | W4, O1":
        _("Keep naloxone close and tell people where it is. It is sold without a prescription. Don’t use alone, and don’t mix with alcohol or calming drugs. Street drugs of any kind can hold fentanyl. After a break your body needs far less: the old amount can kill."),
    "opioid_medicine | | W4, W5":
        _("Buprenorphine or methadone stops the sickness and keeps people alive, also when pregnant. Buprenorphine can start at home, often the same day. Methadone starts at a clinic. Don’t stop a medicine that you are on. Detox alone raises the risk of dying. If your heart races, you are confused or can’t stop throwing up, call 911."),
    "pregnancy | | W5, W6":
        _("See a doctor soon, where you get prenatal care or at a hospital. Don’t stop opioids, daily drinking or calming drugs on your own."),
    "means | | U1":
        _("If you can, ask someone to keep guns and pills away from you for now. If you tried in the last days, or took something, call 911."),
    "shelter | | H1, H2":
        _("A treatment bed is not a shelter. The Domestic Violence Hotline or 211 can help you plan, and they know shelters that take children. Use a phone that nobody checks."),
    "detox | | W1, W2":
        _("Ask for medical detox first: some places to stay have no doctor at night."),
    "sober_house | about programs | R1":
        _("A sober house together with an IOP may fit: a home without alcohol and drugs."),
    "attendance | about programs | I1":
        _("Ask about rides, child care, evening hours, and programs by video."),
    "health | about programs | A2":
        _("Tell them what care you get, so that the program fits around it."),
})
# fmt: on

# Answers that 2026.1 does not know -> the one that stood for them there.
REPLACES = {
    "self_harm": {"attempt": "thoughts"},
    "alcohol_or_pills": {"unused": "fine", "more": "sick"},
    "past_withdrawal": {"risk": "no"},
    "opioids": {"unused": "fine"},
    "mind": {"not_coping": "yes"},
}

# key | the least answers that count | what they raise | notices they bring | sources: the reason in words
# fmt: off
RULES = rules_of({
    # Where nothing raises a dimension, these say so.
    "no_constant_need | | need low | | S4, I2":
        _("Your answers don’t point to a need for care day and night."),
    "supported_at_home | | support strong | | S3":
        _("You have people you can count on."),
    "free_to_leave | | duties flexible | | S1, S2":
        _("You did not name work or family that you can’t leave for some weeks."),
    # Safety
    "emergency_now | emergency withdrawal | need high, urgency now | | W1, W2":
        _("What you feel right now can put your life at risk. You need a doctor’s help at once."),
    "may_have_taken_too_much | emergency medical | | naloxone | W4":
        _("If someone took too much, give naloxone now, call 911, and stay with them."),
    "recent_overdose | overdose yes | need some, urgency today | naloxone | O1, W4":
        _("You had an overdose in the past month. The weeks after one are the most dangerous. Talk with a doctor today."),
    "possible_overdose | overdose not_sure | urgency soon | naloxone | O1":
        _("You may have had an overdose in the past month. Tell a doctor or our staff about it."),
    "possible_opioid_overdose | overdose not_sure, opioids fine | need some, urgency today | naloxone, opioid_medicine | O1, W4":
        _("If you use opioids, an overdose can happen again soon. Talk with a doctor today."),
    "may_act_on_thoughts | self_harm plan | need high, urgency now | means | U1":
        _("You might act on thoughts of ending your life. You should not be alone with this."),
    "recent_attempt | self_harm attempt | need high, urgency today | means | U1":
        _("You tried to end your life not long ago. Someone should talk with you today."),
    "thoughts_of_ending | self_harm thoughts | need some, urgency soon | means | U1, A1":
        _("You have had thoughts of ending your life. They need a person who listens, and care with someone watching over you."),
    "thoughts_alone | self_harm thoughts, supporters nobody | need high, urgency today | means | U1":
        _("You have had thoughts of ending your life, and no one who can help you right now. Talk with someone today."),
    "thoughts_and_watch | self_harm thoughts, constant_care sometimes | urgency today | means | U1":
        _("You have had thoughts of ending your life, and you may need someone with you. Talk with someone today."),
    "thoughts_unsaid | self_harm rather_not_say | need some, urgency soon | | U1":
        _("You chose not to say if you think of ending your life. That is fine. To be safe, we counted some need for care."),
    "past_dark_thoughts | self_harm past | urgency soon | | A1":
        _("Thoughts like these can come back when you stop using. Tell our staff about them."),
    "may_hurt_someone | violence might_act | need high, urgency now | | A1":
        _("You might act on thoughts of hurting someone. Get help before that happens."),
    "thoughts_of_hurting | violence thoughts | need some, urgency soon | | A1":
        _("You have had thoughts of hurting someone. They need a person who listens."),
    "violence_unsaid | violence rather_not_say | urgency soon | | A1":
        _("You chose not to say if you think of hurting someone. That is fine. You can talk about it with our staff."),
    "danger_at_home | home_safety danger | support weak, urgency now | shelter | H1, H2":
        _("You are in danger where you are. Getting you to a safe place comes first."),
    "nowhere_safe | home_safety nowhere_else | support weak, urgency today | shelter | H1, H2, S3":
        _("You don’t have a safe place to sleep. It is very hard to get well without one."),
    "home_may_be_unsafe | home_safety rather_not_say | support some, urgency soon | | H1":
        _("You chose not to say if your home is safe. That is fine. To be safe, we counted it as some support, not strong."),
    "unsafe_with_refuge | home_safety other_place | urgency soon | | H1":
        _("You may not feel safe where you live. Our staff can help you plan."),
    # Job and family
    "job_cannot_be_left | job cannot_leave | duties fixed | | S1":
        _("You have a job or school that you can’t leave right now."),
    "cannot_attend | attendance no | urgency soon | attendance | I1":
        _("You can’t come to a program for nine hours a week, and an IOP asks for at least that."),
    "may_not_attend | attendance maybe | | attendance | I1":
        _("Something could keep you from coming for nine hours a week."),
    "only_carer | caregiving only_me | duties fixed | | S2":
        _("Someone needs your care each day, and you are the only one."),
    "main_provider | provider mostly | duties fixed | | S2":
        _("Your household depends mostly on your income."),
    # People and home
    "few_supporters | supporters one_or_two | support some | | S3":
        _("You may have only one or two people who can help. More help around you makes it easier."),
    "no_supporters | supporters nobody | support weak | | S3, P1":
        _("You have no one right now who can help you stay away from alcohol and drugs."),
    "lives_alone | home alone | support some | | S3":
        _("You may not have someone at home who can help you."),
    "others_use_at_home | home others_use | support weak | sober_house | S3, P1":
        _("The place where you live or stay may not help you keep away from alcohol and drugs."),
    "no_steady_place | home no_place | support weak, urgency soon | sober_house | S3, R1, P1":
        _("You don’t have a steady place to live. It is hard to get well without one."),
    # Care
    "constant_care | constant_care always | need high, urgency soon | | S4, I2":
        _("You need someone with you day and night. A program you go to from home can’t give you that."),
    "some_supervision | constant_care sometimes | need some | | S4, I2":
        _("You may need someone with you at times to stay safe or to keep from using."),
    "nobody_to_watch | constant_care sometimes, supporters nobody | need high | | S4":
        _("You may need someone with you at times, and there is no one right now."),
    "nobody_day_and_night | constant_care always, supporters nobody | need high, urgency today | | S4":
        _("You need someone with you day and night, and there is no one right now. Talk with someone today."),
    # Stopping
    "alcohol_or_pill_withdrawal | alcohol_or_pills sick | need high, urgency today | dont_stop_alone, detox | W1, W2, W3":
        _("Stopping alcohol or calming drugs makes you quite sick. That can be dangerous without a doctor close by."),
    "possible_withdrawal | alcohol_or_pills not_sure | need some, urgency soon | dont_stop_alone | W2, W3":
        _("Stopping alcohol or calming drugs could make you sick. A doctor should check this before you stop."),
    "shaky_withdrawal | alcohol_or_pills shaky | urgency soon | dont_stop_alone | W1, W2":
        _("You may get shaky when you stop alcohol or calming drugs. Ask a doctor before you stop."),
    "severe_withdrawal_before | past_withdrawal severe | urgency soon | dont_stop_alone | W1":
        _("Stopping has made you very sick before. It can happen again, and it can be worse the next time."),
    "withdrawal_may_be_severe | past_withdrawal not_sure | urgency soon | dont_stop_alone | W1":
        _("Stopping could make you very sick. A doctor should ask you more about it."),
    "shaky_and_unsure | past_withdrawal not_sure, alcohol_or_pills shaky | need some, urgency today | dont_stop_alone | W1, W2":
        _("You may get shaky when you stop, and it could get worse. A doctor should see you today."),
    "shaky_with_risk | past_withdrawal risk, alcohol_or_pills shaky | need high, urgency today | dont_stop_alone, detox | W1, W2, N1":
        _("You may get shaky when you stop, and for you that could turn into a seizure. A doctor should see you today."),
    "severe_before_still_using | past_withdrawal severe, alcohol_or_pills fine | need some, urgency today | dont_stop_alone | W1":
        _("Stopping has made you very sick before, and you may have used alcohol or calming drugs in the past month. A doctor should see you today."),
    "ill_and_shaky | health most_days, alcohol_or_pills shaky | need high, urgency today | dont_stop_alone, detox | W1":
        _("You may get shaky when you stop, and you need medical care most days. A doctor should see you today."),
    "uses_opioids | opioids fine | urgency soon | naloxone, opioid_medicine | W4":
        _("You may use opioids. Medicine can make you safer, now and later."),
    "opioid_withdrawal | opioids very_sick | urgency soon | naloxone, opioid_medicine | W4":
        _("Stopping makes you so sick that you use again. Medicine can help with that, and you can start it while you live at home."),
    "two_withdrawals | opioids very_sick, alcohol_or_pills shaky | need high, urgency today | dont_stop_alone, detox | W1, W4":
        _("Stopping could make you sick in two ways at once. That is too much to go through alone. A doctor should see you today."),
    # Health, mind and treatment before
    "daily_nursing | health most_days | need high, urgency soon | | S4, I2":
        _("You need a nurse or doctor most days. Some places to stay have them close by."),
    "health_unsure | health not_sure | urgency soon | | A2":
        _("You may have a health problem that needs care. A doctor can tell you."),
    "tell_them_of_your_health | health often | | health | A2":
        _("You may need care for your health, and your program has to fit around that."),
    "out_of_touch | mind yes | need high, urgency now | | A1":
        _("You hear or see things, or feel that people are after you. You need someone to help with that right now."),
    "not_coping | mind not_coping | need high, urgency today | | A1":
        _("You can’t look after yourself right now. Someone should see you today."),
    "mind_unsaid | mind rather_not_say | need some, urgency soon | | A1":
        _("You chose not to say how your mind has been. That is fine. To be safe, we counted some need for care."),
    "mind_unsettled | mind manageable | urgency soon | | A1":
        _("Your mind may need care too. It works best to treat both at the same time."),
    "may_be_pregnant | pregnancy maybe | urgency soon | pregnancy | W5, W6":
        _("You are or could be pregnant, or chose not to say. It matters for how you stop, so see a doctor soon."),
    "maybe_pregnant_and_shaky | pregnancy maybe, alcohol_or_pills shaky | need high, urgency today | pregnancy, dont_stop_alone, detox | W1, W6":
        _("You are or could be pregnant, or chose not to say, and you may get sick when you stop alcohol or calming drugs. A doctor should see you today."),
    "maybe_pregnant_in_opioid_withdrawal | pregnancy maybe, opioids sick | need some, urgency today | pregnancy, opioid_medicine | W5, W6":
        _("You are or could be pregnant, or chose not to say, and stopping opioids may make you sick. Don’t stop all at once. A doctor should see you today."),
    "intensive_program_not_enough | past_treatment not_enough | need high, urgency soon | | P1, I2":
        _("In the past year a program was not enough for you. You may need more care this time."),
    "treated_many_times | past_treatment many_times | need some | | A2":
        _("You have been in treatment many times. More care this time may help it last."),
})
# fmt: on

_read = {key for rule in RULES for key in rule.when}

CURRENT = RuleSet(
    VERSIONS[-1].version,
    {key: tuple(question.options) for key, question in QUESTIONS.items() if key in _read},
    RULES,
    GRID,
    NOTICES,
    REPLACES,
)
