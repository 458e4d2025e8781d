"""What the two programs are like, side by side, and what to ask a center. Sources: S5 and I1 in sources.py."""

from screening.questionnaire import _

# (what, from home, a place to stay)
COMPARED = (
    (
        _("A week"),
        _("Nine hours or more, on three days or more. Many programs have evenings."),
        _("All day, every day. Staff are there day and night."),
    ),
    (_("Where you sleep"), _("At home."), _("There. You may share a room.")),
    (
        _("One-to-one therapy"),
        _("You talk with your own therapist, at set times."),
        _("The same. Someone is nearby between sessions."),
    ),
    (
        _("Therapy in groups"),
        _("Most of your hours are with others who want to stop too."),
        _("Each day, with the people you live with."),
    ),
    (
        _("Classes"),
        _("How to handle urges and stress. You try it out at home the same night."),
        _("The same skills. You learn them away from daily life."),
    ),
    (
        _("A doctor or nurse"),
        _("At set times, or your own doctor. Ask what they offer."),
        _("Close by. Ask if they are there at night too."),
    ),
    (_("Work and family"), _("You can keep up both."), _("You are away for a time. Ask about visits.")),
    (
        _("How your days open up"),
        _("You are free from the first day. As you get well, the hours get fewer."),
        _("Little at first, then step by step. Then home, often with an IOP to follow."),
    ),
)

QUESTIONS_TO_ASK = (
    _("Who looks after me if I get sick from stopping? Is a nurse or doctor there at night?"),
    _("Do you offer medicine for alcohol or opioids? Can I keep taking my own?"),
    _("How long does it take, and what does a day look like?"),
    _("What does it cost, and what does my insurance pay?"),
    _("Can you help me with my job, my children, or a ride?"),
    _("Who will know that I called?"),
    _("What comes after the program?"),
)
