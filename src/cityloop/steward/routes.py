"""Routes of the steward's room."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic_core import from_json

from cityloop.access.routes import Asker
from cityloop.analyse.schemas import QueryRequest
from cityloop.core.errors import Invalid
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, service
from cityloop.steward.catalogue import Catalogue
from cityloop.steward.datasets import DatasetDetail, DatasetFilter, DatasetKind, DatasetLine, Level, SampleView
from cityloop.steward.graph import Direction, Node, NodeKind, Slice
from cityloop.steward.schemas import GrantFilter, GrantMove, GrantRequest, GrantState, GrantView, UsageView
from cityloop.steward.sharing import Sharing
from cityloop.steward.tracing import Lineage
from cityloop.steward.uses import BatchView, UsesView

router = APIRouter(prefix="/api/v1", tags=["steward"])
TheSharing = Annotated[Sharing, Depends(service(Sharing))]
TheLineage = Annotated[Lineage, Depends(service(Lineage))]
TheCatalogue = Annotated[Catalogue, Depends(service(Catalogue))]


async def grant_filter(
    state: GrantState | None = None,
    department: Annotated[str | None, Query(description="asks for it or owns the data")] = None,
    dataset: str | None = None,
) -> GrantFilter:
    """The filter parameters of the grants."""
    return GrantFilter(state=state, department=department, dataset=dataset)


Grants = Annotated[GrantFilter, Depends(grant_filter)]


@router.get("/grants")
def grants(sharing: TheSharing, actor: Asker, paged: Paged, wanted: Grants) -> Page[GrantView]:
    """Grants between departments, newest first; ``moves`` are what the asker can do with each."""
    return sharing.list(actor, wanted, paged)


@router.get("/grants/export", response_class=Response)
def export_grants(sharing: TheSharing, actor: Asker, wanted: Grants, format: ExportFormat = "csv") -> Response:
    """The same list as a file."""
    return sharing.export(actor, wanted, format)


@router.post("/grants", status_code=201)
def ask_for_grant(body: GrantRequest, sharing: TheSharing, actor: Asker, response: Response) -> GrantView:
    """Ask the department that owns a dataset to share fields and rows of it for a time."""
    made = sharing.ask(actor, body)
    response.headers["Location"] = f"/api/v1/grants/{made.id}"
    return made


@router.get("/grants/{grant}")
def grant(grant: str, sharing: TheSharing, actor: Asker) -> GrantView:
    """One grant."""
    return sharing.get(actor, grant)


@router.post("/grants/{grant}/moves")
def move_grant(grant: str, body: GrantMove, sharing: TheSharing, actor: Asker) -> GrantView:
    """Approve, refuse or revoke (the owner department, never who asked), or withdraw (the asking department)."""
    return sharing.move(actor, grant, body)


@router.get("/grants/{grant}/usage")
def grant_usage(grant: str, sharing: TheSharing, actor: Asker) -> UsageView:
    """How often, by whom and when last a grant was read by."""
    return sharing.usage(actor, grant)


async def dataset_filter(
    kind: DatasetKind | None = None,
    type: Annotated[str | None, Query(max_length=60, description="entity type")] = None,
    department: Annotated[str | None, Query(max_length=60)] = None,
    sensitivity: Level | None = None,
    text: Annotated[str | None, Query(max_length=60, description="in id, title or tags")] = None,
) -> DatasetFilter:
    """The filter parameters of the catalogue."""
    return DatasetFilter(kind=kind, type=type, department=department, sensitivity=sensitivity, text=text)


Datasets = Annotated[DatasetFilter, Depends(dataset_filter)]


@router.get("/datasets")
def datasets(catalogue: TheCatalogue, actor: Asker, paged: Paged, wanted: Datasets) -> Page[DatasetLine]:
    """The catalogue: tables, feeds and sources with owner, freshness, size and quality."""
    return catalogue.list(actor, wanted, paged)


@router.get("/datasets/export", response_class=Response)
def export_datasets(catalogue: TheCatalogue, actor: Asker, wanted: Datasets, format: ExportFormat = "csv") -> Response:
    """The catalogue as a file."""
    return catalogue.export(actor, wanted, format)


@router.get("/datasets/{dataset}")
def dataset(dataset: str, catalogue: TheCatalogue, actor: Asker) -> DatasetDetail:
    """One dataset with its columns and what uses them."""
    return catalogue.get(actor, dataset)


@router.get("/datasets/{dataset}/sample")
def dataset_sample(dataset: str, catalogue: TheCatalogue, actor: Asker) -> SampleView:
    """The newest twenty rows, as the asker may see them."""
    return catalogue.sample(actor, dataset)


@router.get("/lineage")
def lineage(
    lineages: TheLineage,
    actor: Asker,
    node: Annotated[str, Query(max_length=200)],
    direction: Direction = "both",
    depth: Annotated[int, Query(ge=1, le=20)] = 6,
) -> Slice:
    """What a declared thing comes from and what hangs on it, as nodes and edges."""
    return lineages.around(actor, node, direction, depth)


@router.get("/lineage/nodes")
def lineage_nodes(
    lineages: TheLineage,
    actor: Asker,
    text: Annotated[str, Query(max_length=100)] = "",
    kind: NodeKind | None = None,
) -> list[Node]:
    """Nodes of the lineage by a part of their id or title, at most 50."""
    return lineages.nodes(actor, text, kind)


@router.get("/lineage/batches")
def lineage_batches(
    lineages: TheLineage,
    actor: Asker,
    paged: Paged,
    metric: Annotated[str | None, Query(max_length=60)] = None,
    filters: Annotated[str, Query(max_length=4000, description="JSON list of filters as in the query")] = "[]",
    dataset: Annotated[str | None, Query(max_length=60)] = None,
    column: Annotated[str | None, Query(max_length=60)] = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Page[BatchView]:
    """The raw batches behind a figure (``metric`` with ``filters``), or behind a ``column`` of a ``dataset``."""
    if metric is not None:
        return lineages.batches_of_figure(actor, _figure(metric, filters, start, end), paged)
    if dataset is None:
        raise Invalid("name a metric or a dataset", "for example metric=pm2_5_mean")
    return lineages.batches_of_column(actor, dataset, column, (start, end), paged)


@router.get("/lineage/uses")
def lineage_uses(
    lineages: TheLineage,
    actor: Asker,
    record: Annotated[str | None, Query(max_length=120)] = None,
    batch: Annotated[str | None, Query(max_length=120)] = None,
) -> UsesView:
    """The metrics, warnings and cases that were made from a record or a batch."""
    return lineages.uses(actor, record, batch)


def _figure(metric: str, filters: str, start: datetime | None, end: datetime | None) -> QueryRequest:
    try:
        wanted = {"metrics": [metric], "filters": from_json(filters), "start": start, "end": end}
        return QueryRequest.model_validate(wanted)
    except ValueError as error:
        raise Invalid(f"the figure cannot be asked for: {error}", "filters are a JSON list as in the query") from error
