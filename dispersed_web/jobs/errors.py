"""What can go wrong with jobs, as errors with a code and a sentence for users."""

from __future__ import annotations

from dispersed_web.errors import DomainError


class JobError(DomainError):
    """An act on a job that was not done."""


class LaunchRefused(JobError):
    """The launch was not accepted; nothing was stored and nothing will be sent."""


class TooManyLaunches(LaunchRefused):
    """Launches were asked for too often; one more may be in ``wait_s`` seconds."""

    def __init__(self, sentence: str, wait_s: int) -> None:
        super().__init__("too_many_launches", sentence)
        self.wait_s = wait_s


class FormAlreadyUsed(JobError):
    """The form launched something else before; ``job_id`` says what."""

    def __init__(self, job_id: object) -> None:
        self.job_id = job_id
        super().__init__(
            "form_used", "This form already launched another job. Open a new form to launch this one."
        )


class TooLate(JobError):
    """The stop was already sent, or the job has ended."""


class PresetRefused(JobError):
    """The preset was neither saved nor changed."""
