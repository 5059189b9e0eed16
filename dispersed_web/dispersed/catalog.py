"""What can be rented and how it is described: GPUs, offers, recipes."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from . import parse
from .parse import JsonObject
from .payload import RecipePayload


@dataclass(frozen=True)
class Gpu:
    """A GPU model of the registry. Beyond `uuid` and `name` its fields are not documented: any may be
    None.
    """

    uuid: str
    name: str
    vram_gb: Decimal | None = None
    hourly_rate_usd: Decimal | None = None
    available_count: int | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> "Gpu":
        """Read an item of the GPU registry. Raises BadReply without `uuid` or `name`."""
        return cls(
            uuid=parse.required_id(data, "uuid", "GPU"),
            name=parse.text(data.get("name"), 200) or _missing("GPU", "name"),
            vram_gb=_first_number(data, "vram_gb", "vram_gib", "min_vram_gb", "min_vram_gib"),
            hourly_rate_usd=parse.amount(data.get("hourly_rate_usd")),
            available_count=parse.integer(data.get("available_count")),
        )


@dataclass(frozen=True)
class GpuModel:
    """One kind of GPU in an offer."""

    name: str
    count: int | None
    gpu_registry_uuid: str
    vram_gb: Decimal | None


@dataclass(frozen=True)
class Offer:
    """Hardware with its price at the time `quoted_at` (Dispersed docs, list-compute-offers).

    The sizes are binary gigabytes. An offer cannot be ordered: it is met by asking for the same GPU and
    counts.
    """

    offer_id: str
    region_code: str
    hourly_rate_usd: Decimal | None
    quoted_at: datetime | None
    cpu_cores: int | None
    gpu_count: int | None
    gpu_label: str
    gpu_models: tuple[GpuModel, ...]
    gpu_registry_uuid: str
    vram_gb: Decimal | None
    ram_gb: Decimal | None
    storage_gb: Decimal | None
    availability: str

    @classmethod
    def from_json(cls, data: JsonObject) -> "Offer":
        """Read an offer. Raises BadReply without `offer_id`."""
        pricing = _inner(data, "pricing")
        hardware = _inner(data, "hardware_summary")
        models = (_gpu_model(item) for item in parse.items(hardware.get("gpu_models")))
        return cls(
            offer_id=parse.text(data.get("offer_id"), 200) or _missing("offer", "offer_id"),
            region_code=parse.text(data.get("region_code"), 64),
            hourly_rate_usd=parse.amount(pricing.get("hourly_rate_usd")),
            quoted_at=parse.moment(pricing.get("quoted_at")),
            cpu_cores=parse.integer(hardware.get("cpu_cores")),
            gpu_count=parse.integer(hardware.get("gpu_count")),
            gpu_label=parse.text(hardware.get("gpu_model_label"), 200),
            gpu_models=tuple(model for model in models if model is not None),
            gpu_registry_uuid=parse.text(hardware.get("gpu_registry_uuid"), 128),
            vram_gb=parse.number(hardware.get("min_gpu_vram_gib")),
            ram_gb=parse.number(hardware.get("ram_gib")),
            storage_gb=parse.number(hardware.get("storage_gib")),
            availability=_availability(data.get("availability")),
        )


@dataclass(frozen=True)
class RecipeInput:
    """A question that a recipe of the cloud asks. `options` are pairs of value and label."""

    key: str
    type: str
    label: str
    required: bool
    description: str
    placeholder: str
    default_value: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def from_json(cls, data: JsonObject) -> "RecipeInput":
        """Read an entry of `input_schema`; `key` is empty where it has none."""
        options = (item for item in parse.items(data.get("options")) if isinstance(item, dict))
        return cls(
            key=parse.text(data.get("key"), 200),
            type=parse.text(data.get("type"), 64),
            label=parse.text(data.get("label"), 300),
            required=parse.boolean(data.get("required")) is True,
            description=parse.text(data.get("description")),
            placeholder=parse.text(data.get("placeholder"), 500),
            default_value=_default(data.get("default_value")),
            options=tuple(
                (parse.text(item.get("value"), 500), parse.text(item.get("label"), 300)) for item in options
            ),
        )


@dataclass(frozen=True)
class Recipe:
    """A stored job description of the cloud (Dispersed docs, get-job-recipe).

    `unreadable_inputs` counts the questions that have no key: they cannot be answered by name.
    """

    uuid: str
    name: str
    description: str = ""
    visibility: str = ""
    is_official: bool = False
    is_owner: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_used_at: datetime | None = None
    forked_from_recipe_uuid: str = ""
    quickstart_md: str = ""
    payload: RecipePayload = field(default_factory=RecipePayload)
    inputs: tuple[RecipeInput, ...] = ()
    unreadable_inputs: int = 0

    @property
    def is_archived(self) -> bool:
        """Put away by its owner (the documentation's sample has this visibility)."""
        return self.visibility.upper() == "ARCHIVED"

    @classmethod
    def from_json(cls, data: JsonObject) -> "Recipe":
        """Read a recipe. Raises BadReply without `uuid`; everything else may be missing."""
        asked = parse.items(data.get("input_schema"))
        inputs = [RecipeInput.from_json(one) for one in asked if isinstance(one, dict) and one.get("key")]
        return cls(
            uuid=parse.required_id(data, "uuid", "recipe"),
            name=parse.text(data.get("name"), 300),
            description=parse.text(data.get("description")),
            visibility=parse.text(data.get("visibility"), 64),
            is_official=parse.boolean(data.get("is_official")) is True,
            is_owner=parse.boolean(data.get("is_owner")) is True,
            created_at=parse.moment(data.get("created_at")),
            updated_at=parse.moment(data.get("updated_at")),
            last_used_at=parse.moment(data.get("last_used_at")),
            forked_from_recipe_uuid=parse.text(data.get("forked_from_recipe_uuid"), 128),
            quickstart_md=parse.text(data.get("quickstart_md"), 50_000),
            payload=RecipePayload.from_json(data.get("payload")),
            inputs=tuple(one for one in inputs if one.key),
            unreadable_inputs=len(asked) - sum(1 for one in inputs if one.key),
        )


def _default(value: object) -> str:
    """An answer as text; a switch's as "true" or "false"."""
    return str(value).lower() if isinstance(value, bool) else parse.text(value)


def _inner(data: JsonObject, name: str) -> JsonObject:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _missing(what: str, name: str) -> str:
    raise parse.bad_reply(f"a {what} without {name}")


def _first_number(data: JsonObject, *names: str) -> Decimal | None:
    found = (parse.number(data.get(name)) for name in names)
    return next((value for value in found if value is not None), None)


def _gpu_model(data: object) -> GpuModel | None:
    if not isinstance(data, dict):
        return None
    return GpuModel(
        name=parse.text(data.get("name"), 200),
        count=parse.integer(data.get("count")),
        gpu_registry_uuid=parse.text(data.get("gpu_registry_uuid"), 128),
        vram_gb=parse.number(data.get("min_vram_gib")),
    )


def _availability(value: object) -> str:
    """The availability as text. It is documented as an object without saying of what: its `status` is
    shown.
    """
    if isinstance(value, dict):
        value = value.get("status")
    return parse.text(value, 64)
