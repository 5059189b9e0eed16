"""What can be rented, from recipes or offers, and what it has cost."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from .account import Authorization, Balance, Transaction, User
from .calls import CREATE_DEADLINE_S, MAX_LIMIT, NEWEST_FIRST, Calls, boolean_text, resource_path
from .catalog import Gpu, Offer, Recipe
from .filters import any_of, date_range, listing_pairs
from .models import Job
from .outcomes import AuthShapes
from .page import Page
from .replies import read_resource


class CatalogCalls(Calls):
    """The calls that concern recipes, GPUs and offers."""

    def list_job_recipes(
        self,
        *,
        official: bool | None = None,
        page: int = 1,
        limit: int = MAX_LIMIT,
        sort: str | None = None,
    ) -> Page[Recipe]:
        """GET /v1/job-recipes (seen in the field): one page of recipes; `official` True for the vendor's
        own.
        """
        pairs = listing_pairs(page, limit, sort, is_official=boolean_text(official))
        return self._page("/v1/job-recipes", pairs, Recipe.from_json, page, limit)

    def get_job_recipe(self, uuid: str) -> Recipe:
        """GET /v1/job-recipes/{uuid} (Dispersed docs, get-job-recipe)."""
        return Recipe.from_json(read_resource(self._get(resource_path("/v1/job-recipes", uuid)), "recipe"))

    def cook_job_recipe(
        self,
        uuid: str,
        overrides: Mapping[str, object],
        *,
        time_ms: int,
        nonce: str,
        auth_shapes: AuthShapes,
        deadline_s: float = CREATE_DEADLINE_S,
    ) -> Job:
        """POST /v1/job-recipes/{uuid}/cook (Dispersed docs, cook-job-from-recipe): make a job from a recipe.

        `overrides` has the fields of a create call, all optional. Sent exactly once, as `create_job` is.
        Without overrides of its container settings such a job has been seen to run without any address (in
        the field).
        """
        path = f"{resource_path('/v1/job-recipes', uuid)}/cook"
        return self._make(path, overrides, time_ms, nonce, auth_shapes, deadline_s)

    def list_gpus(
        self,
        *,
        only_available: bool | None = None,
        min_vram_gb: int | None = None,
        page: int = 1,
        limit: int = MAX_LIMIT,
    ) -> Page[Gpu]:
        """GET /v1/gpu-registry (seen in the field): one page of the GPU models that a job can name."""
        available = boolean_text(only_available)
        pairs = listing_pairs(page, limit, None, only_available=available, min_vram_gb=min_vram_gb)
        return self._page("/v1/gpu-registry", pairs, Gpu.from_json, page, limit)

    def list_offers(
        self,
        *,
        gpu_registry_uuid: str | None = None,
        gpu_name: str | None = None,
        gpu_count: int | None = None,
        cpu_count: int | None = None,
        min_vram_gb: int | None = None,
        min_ram_gb: int | None = None,
        min_storage_gb: int | None = None,
        region_codes: Iterable[str] = (),
        page: int = 1,
        limit: int = MAX_LIMIT,
        sort: str | None = None,
    ) -> Page[Offer]:
        """GET /v1/compute/offers (Dispersed docs, list-compute-offers): one page of hardware with prices."""
        pairs = listing_pairs(
            page,
            limit,
            sort,
            gpu_registry_uuid=gpu_registry_uuid,
            gpu_name=gpu_name,
            gpu_count=gpu_count,
            cpu_count=cpu_count,
            min_vram_gb=min_vram_gb,
            min_ram_gb=min_ram_gb,
            min_storage_gb=min_storage_gb,
            allowed_region_codes=any_of(region_codes),
        )
        return self._page("/v1/compute/offers", pairs, Offer.from_json, page, limit)


class AccountCalls(Calls):
    """The calls that concern the ledger and the account."""

    def list_transactions(
        self,
        *,
        job_run_uuid: str | None = None,
        authorization_uuid: str | None = None,
        type: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page: int = 1,
        limit: int = MAX_LIMIT,
        sort: str = NEWEST_FIRST,
    ) -> Page[Transaction]:
        """GET /v1/compute/ledger/transactions (Dispersed docs): one page of booked amounts."""
        pairs = listing_pairs(
            page,
            limit,
            sort,
            job_run_uuid=job_run_uuid,
            authorization_uuid=authorization_uuid,
            type=type,
            created_at=date_range(created_after, created_before),
        )
        return self._page("/v1/compute/ledger/transactions", pairs, Transaction.from_json, page, limit)

    def list_authorizations(
        self,
        *,
        statuses: Iterable[str] = (),
        page: int = 1,
        limit: int = MAX_LIMIT,
        sort: str = NEWEST_FIRST,
    ) -> Page[Authorization]:
        """GET /v1/compute/ledger/authorizations (Dispersed docs): one page of amounts held for runs."""
        pairs = listing_pairs(page, limit, sort, status=any_of(statuses))
        return self._page("/v1/compute/ledger/authorizations", pairs, Authorization.from_json, page, limit)

    def me(self) -> User:
        """GET /v1/users/me (seen in the field): whose key this is."""
        return User.from_json(read_resource(self._get("/v1/users/me"), "user"))

    def balance(self, account_uuid: str) -> Balance:
        """GET /v1/accounts/{uuid}/balance (seen in the field; the uuid is that of `me()`): what is left
        to spend.
        """
        path = f"{resource_path('/v1/accounts', account_uuid)}/balance"
        return Balance.from_json(read_resource(self._get(path), "balance"))
