"""What the lifespan opens and every request is handed: the parts of the running service, by name."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict, cast

from fastapi import Depends
from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from service.api.access import Keys
from service.api.hooks.hooks import Hooks
from service.api.jobs import Jobs
from service.api.log import Notices
from service.api.metrics import Metrics
from service.api.recording import Recording
from service.api.shops import Shops
from service.api.trace import Trace, Tracer
from service.clock import Clock
from service.notify.deliverer import Deliverer
from service.outbound.fetch import Fetcher
from service.penalise.books import Books
from service.pipeline import Pipeline
from service.record.counter import HourlyCounter
from service.record.database import Database
from service.record.sealed import Sealer
from service.settings import Settings
from service.watch import Watch


class State(TypedDict):
    """Filled once, at start; nothing in it is replaced while the process runs."""

    settings: Settings
    clock: Clock
    database: Database
    pipeline: Pipeline
    recording: Recording
    books: Books
    keys: Keys
    shops: Shops
    counter: HourlyCounter
    fetcher: Fetcher | None
    """None: pictures are not fetched."""
    metrics: Metrics
    watch: Watch
    jobs: Jobs
    sealer: Sealer
    webhooks: Deliverer
    hooks: Hooks
    log: FilteringBoundLogger
    notices: Notices
    tracer: Tracer | None
    """None: nothing is traced."""
    trace: NotRequired[Trace]
    """Of this request, where it is traced."""


def state_of(request: Request) -> State:
    return cast(State, request.scope["state"])


ServiceState = Annotated[State, Depends(state_of)]
"""As a parameter of a route."""
