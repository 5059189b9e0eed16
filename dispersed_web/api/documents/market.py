"""What the OpenAPI document says of GPUs and prices."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.market import (
    GpuListSerializer,
    MarketQuerySerializer,
    OfferListSerializer,
)

list_gpus = extend_schema(
    operation_id="list_gpus",
    tags=["Prices"],
    summary="List the GPU models",
    description="""
With what a node of `gpu_count` of them costs per hour, the cheapest offered ones first. What was asked of the cloud last is
answered at once; when that is older than a minute, it is asked again meanwhile.

```
curl -H "Authorization: Bearer $TOKEN" "$DW/gpus?credential_id=$CREDENTIAL&min_vram_gb=24"
```
""",
    parameters=[MarketQuerySerializer],
    responses=answers({200: GpuListSerializer}, 400),
)

list_offers = extend_schema(
    operation_id="list_offers",
    tags=["Prices"],
    summary="List the offers",
    description="""
Every node that the cloud offered when it was asked last, the cheapest first. An offer cannot be ordered: ask for its GPU,
its count and its region.

```
curl -H "Authorization: Bearer $TOKEN" "$DW/offers?credential_id=$CREDENTIAL&gpu_count=2"
```
""",
    parameters=[MarketQuerySerializer],
    responses=answers({200: OfferListSerializer}, 400),
)
