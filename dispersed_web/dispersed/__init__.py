"""The Dispersed cloud as a Python package: signing, models, errors and a client. No Django, no settings."""

from .client import DEFAULT_URL, Client
from .errors import (
    BadReply,
    DispersedError,
    NotFound,
    RateLimited,
    ReadOnly,
    Rejected,
    ServerBroken,
    Unauthorized,
    Unreachable,
)
from .limits import problems_of
from .listing import complete_listing
from .models import (
    Authorization,
    Balance,
    DockerEcho,
    Gpu,
    GpuModel,
    Job,
    JobRun,
    KeyPair,
    MixedKeys,
    NodeUrl,
    Offer,
    Page,
    Recipe,
    RecipeInput,
    RecipePayload,
    Secret,
    Transaction,
    User,
)
from .outcomes import ACCEPTED, AuthShapes, Outcome, classify_exception, classify_response
from .regions import REGION_CODES
from .spec import BATCH, PERSISTENT, JobSpec
from .statuses import LIVE, TERMINAL, is_terminal
from .volume import Volume

__all__ = [
    "ACCEPTED",
    "BATCH",
    "DEFAULT_URL",
    "LIVE",
    "PERSISTENT",
    "REGION_CODES",
    "TERMINAL",
    "AuthShapes",
    "Authorization",
    "BadReply",
    "Balance",
    "Client",
    "DispersedError",
    "DockerEcho",
    "Gpu",
    "GpuModel",
    "Job",
    "JobRun",
    "JobSpec",
    "KeyPair",
    "MixedKeys",
    "NodeUrl",
    "NotFound",
    "Offer",
    "Outcome",
    "Page",
    "RateLimited",
    "ReadOnly",
    "Recipe",
    "RecipeInput",
    "RecipePayload",
    "Rejected",
    "Secret",
    "ServerBroken",
    "Transaction",
    "Unauthorized",
    "Unreachable",
    "User",
    "Volume",
    "classify_exception",
    "classify_response",
    "complete_listing",
    "is_terminal",
    "problems_of",
]
