"""Jobs and their runs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from .calls import CREATE_DEADLINE_S, MAX_LIMIT, NEWEST_FIRST, Calls, resource_path
from .errors import BadReply
from .filters import any_of, date_range, listing_pairs
from .listing import complete_listing
from .models import Job, JobRun
from .outcomes import AuthShapes
from .page import Page
from .replies import read_resource
from .sending import encode_body


class JobCalls(Calls):
    """The calls that concern jobs and job runs."""

    def list_jobs(
        self,
        *,
        page: int = 1,
        limit: int = MAX_LIMIT,
        sort: str = NEWEST_FIRST,
        statuses: Iterable[str] = (),
        task: str | None = None,
        uuid: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> Page[Job]:
        """GET /v1/jobs (vendor's example client): one page, newest first; `limit` is 1 to 50.

        `statuses` means any of them, none means all. With one of the two dates the other is left wide open.
        """
        pairs = listing_pairs(
            page,
            limit,
            sort,
            status=any_of(statuses),
            task=task,
            uuid=uuid,
            created_at=date_range(created_after, created_before),
        )
        return self._page("/v1/jobs", pairs, Job.from_json, page, limit)

    def complete_jobs(self, *, older_than: datetime | None = None, statuses: Sequence[str] = ()) -> list[Job]:
        """All jobs of the key's account, newest first, back to `older_than`: see `complete_listing`."""
        return complete_listing(
            lambda page: self.list_jobs(page=page, statuses=statuses), older_than=older_than
        )

    def get_job(self, uuid: str) -> Job:
        """GET /v1/jobs/{uuid} (vendor's example client)."""
        return Job.from_json(read_resource(self._get(resource_path("/v1/jobs", uuid)), "job"))

    def create_job(
        self,
        body: Mapping[str, object],
        *,
        time_ms: int,
        nonce: str,
        auth_shapes: AuthShapes,
        deadline_s: float = CREATE_DEADLINE_S,
    ) -> Job:
        """POST /v1/jobs (Dispersed docs, create-job), sent exactly once and never repeated by itself.

        `body` is `JobSpec.to_body()`. `time_ms` and `nonce` are stored before the call, so that it is known
        from when on the request is too old to be accepted. An error's `outcome` says what is known of the
        effect: only NOT_SENT may be sent again. Whatever else is raised out of this call leaves the effect
        unknown.
        """
        return self._make("/v1/jobs", body, time_ms, nonce, auth_shapes, deadline_s)

    def cancel_job(self, uuid: str, reason: str) -> Job | None:
        """PUT /v1/jobs/{uuid}/cancel (Dispersed docs, stop-job): ask for the job's end. May be repeated.

        Returns the job as the cloud then shows it, or None when it accepted without showing one. Neither is
        proof that the job has ended. `reason` is cut to 200 characters and to ASCII, so that a stop never
        fails by it.
        """
        sendable = "".join(char if char.isascii() and char.isprintable() else "?" for char in reason[:200])
        body = encode_body({"reason": sendable})
        path = f"{resource_path('/v1/jobs', uuid)}/cancel"
        reply = self._exchange.repeated("PUT", path, body=body, deadline_s=self._deadline_s)
        try:
            return Job.from_json(read_resource(reply, "job"))
        except BadReply:
            return None

    def list_job_runs(
        self,
        job_uuid: str | None = None,
        *,
        statuses: Iterable[str] = (),
        page: int = 1,
        limit: int = MAX_LIMIT,
        sort: str = NEWEST_FIRST,
    ) -> Page[JobRun]:
        """GET /v1/job-runs (Dispersed docs, job-monitoring): one page of runs, of one job or of all,
        without logs.
        """
        pairs = listing_pairs(page, limit, sort, job_uuid=job_uuid, status=any_of(statuses))
        return self._page("/v1/job-runs", pairs, JobRun.from_json, page, limit)

    def complete_job_runs(
        self,
        job_uuid: str | None = None,
        *,
        statuses: Sequence[str] = (),
        older_than: datetime | None = None,
    ) -> list[JobRun]:
        """All runs, of one job or of all, newest first, back to `older_than`: see `complete_listing`.

        Runs of other jobs are dropped here as well, in case the cloud lets them pass.
        """
        runs = complete_listing(
            lambda page: self.list_job_runs(job_uuid, statuses=statuses, page=page), older_than=older_than
        )
        return runs if job_uuid is None else [run for run in runs if run.job_uuid == job_uuid]

    def get_job_run(self, uuid: str) -> JobRun:
        """GET /v1/job-runs/{uuid} (Dispersed docs, job-monitoring): a run with its logs."""
        return JobRun.from_json(read_resource(self._get(resource_path("/v1/job-runs", uuid)), "job run"))
