"""Money and the account: ledger entries, balance, the key's user. Amounts are Decimal USD."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from . import parse
from .parse import JsonObject


@dataclass(frozen=True)
class Transaction:
    """A booked amount of the ledger (Dispersed docs, list-compute-ledger-transactions)."""

    uuid: str
    amount_usd: Decimal | None
    type: str
    job_run_uuid: str
    authorization_uuid: str
    memo: str
    created_at: datetime | None

    @classmethod
    def from_json(cls, data: JsonObject) -> "Transaction":
        """Read a ledger transaction. Raises BadReply without `uuid`."""
        return cls(
            uuid=parse.required_id(data, "uuid", "transaction"),
            amount_usd=parse.amount(data.get("amount_usd")),
            type=parse.text(data.get("type"), 64),
            job_run_uuid=parse.text(data.get("job_run_uuid"), 128),
            authorization_uuid=parse.text(data.get("authorization_uuid"), 128),
            memo=parse.text(data.get("memo"), 1000),
            created_at=parse.moment(data.get("created_at")),
        )


@dataclass(frozen=True)
class Authorization:
    """An amount held for a job run (Dispersed docs, list-compute-ledger-authorizations). It may be
    refused.
    """

    uuid: str
    amount_usd: Decimal | None
    approved: bool | None
    status: str
    status_reason: str
    job_run_uuid: str
    opened_at: datetime | None
    expires_at: datetime | None
    closed_at: datetime | None
    created_at: datetime | None

    @classmethod
    def from_json(cls, data: JsonObject) -> "Authorization":
        """Read a ledger authorization. Raises BadReply without `uuid`."""
        return cls(
            uuid=parse.required_id(data, "uuid", "authorization"),
            amount_usd=parse.amount(data.get("amount_usd")),
            approved=parse.boolean(data.get("approved")),
            status=parse.text(data.get("status"), 64),
            status_reason=parse.text(data.get("status_reason"), 1000),
            job_run_uuid=parse.text(data.get("job_run_uuid"), 128),
            opened_at=parse.moment(data.get("opened_at")),
            expires_at=parse.moment(data.get("expires_at")),
            closed_at=parse.moment(data.get("closed_at")),
            created_at=parse.moment(data.get("created_at")),
        )


@dataclass(frozen=True)
class User:
    """Whose key it is (seen in the field, users/me)."""

    uuid: str
    email: str

    @classmethod
    def from_json(cls, data: JsonObject) -> "User":
        """Read a user. Raises BadReply without `uuid`."""
        return cls(uuid=parse.required_id(data, "uuid", "user"), email=parse.text(data.get("email"), 320))


@dataclass(frozen=True)
class Balance:
    """What is left to spend (seen in the field, accounts/{uuid}/balance). None when it could not be read."""

    available: Decimal | None
    currency: str

    @property
    def available_usd(self) -> Decimal | None:
        """The amount if it is in USD, else None: no rate is known at which to convert it."""
        return self.available if self.currency == "USD" else None

    @classmethod
    def from_json(cls, data: JsonObject) -> "Balance":
        """Read a balance; its amount comes as number or text, and is taken for USD when no currency is
        named.
        """
        currency = parse.text(data.get("currency"), 16).upper() or "USD"
        return cls(available=parse.amount(data.get("available_balance")), currency=currency)
