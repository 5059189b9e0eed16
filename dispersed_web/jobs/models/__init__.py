"""The rows of jobs and of what belongs to them."""

from dispersed_web.jobs.models.around import CloudCatalog, Market, Sweep, UnmanagedJob
from dispersed_web.jobs.models.history import HistoryImport
from dispersed_web.jobs.models.job import Job
from dispersed_web.jobs.models.kept import CalendarFeed, JobStar, JobTag, Preset
from dispersed_web.jobs.models.run import JobRun, RunLog
from dispersed_web.jobs.models.words import ENDED, IN_CLOUD, LOCAL_ONLY, Origin

__all__ = [
    "ENDED",
    "IN_CLOUD",
    "LOCAL_ONLY",
    "CalendarFeed",
    "CloudCatalog",
    "HistoryImport",
    "Job",
    "JobRun",
    "JobStar",
    "JobTag",
    "Market",
    "Origin",
    "Preset",
    "RunLog",
    "Sweep",
    "UnmanagedJob",
]
