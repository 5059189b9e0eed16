"""The rows of jobs and of what belongs to them."""

from dispersed_web.jobs.models.around import CloudCatalog, Market, Sweep, UnmanagedJob
from dispersed_web.jobs.models.job import ENDED, IN_CLOUD, LOCAL_ONLY, Job, Origin
from dispersed_web.jobs.models.kept import CalendarFeed, JobStar, JobTag, Preset
from dispersed_web.jobs.models.run import JobRun, RunLog

__all__ = [
    "ENDED",
    "IN_CLOUD",
    "LOCAL_ONLY",
    "CalendarFeed",
    "CloudCatalog",
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
