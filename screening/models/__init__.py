"""Models: submissions, what staff add to them, contact details, counts, and the audit log."""

from screening.models.audit import Action, LogHead, LogLine, LogLink
from screening.models.center import CenterFacts
from screening.models.contact import Contact
from screening.models.counts import Count, ErasureCount, RateLimitCount, RateLimitWindow
from screening.models.job_run import JobRun
from screening.models.keys import Canary, SealedModel, refuse_wrong_keys
from screening.models.second_factor import Phone, RecoveryCode
from screening.models.staff import (
    AccountChange,
    Note,
    Notification,
    Reply,
    Review,
    StaffMember,
    Try,
    UnsafeResult,
    is_result_hidden,
    result_visible_to,
)
from screening.models.submission import (
    ORDER,
    URGENCIES,
    URGENT,
    BlindPilot,
    Channel,
    Outcome,
    Program,
    Status,
    Submission,
    Urgency,
    in_words,
    retention_cutoff,
)
