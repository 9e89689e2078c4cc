"""The application: routes, handlers and the lifespan that opens and closes what they use. No state lives in a module."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

from service import __version__
from service.api.access import Keys
from service.api.cors import Cors
from service.api.demo.page import demo_routes
from service.api.docs import docs_page
from service.api.ending import close_within, end_process_within
from service.api.gate import Gate
from service.api.hooks.hooks import Hooks
from service.api.hot import Hot
from service.api.jobs import Jobs
from service.api.log import Notices, make_log
from service.api.metrics import Metrics
from service.api.openapi import OPERATIONS, ROUTERS, openapi_of
from service.api.problem import answer_errors_as_problems
from service.api.recording import open_recording, watch_recording
from service.api.remembered import Remembered
from service.api.routes.hooks import hooked
from service.api.shops import Shops
from service.api.start import compile_live, open_database, open_fetcher, open_webhooks
from service.api.state import State
from service.api.trace import Tracer
from service.api.vitals import open_vitals
from service.bundles import Bundles
from service.clock import SystemClock
from service.engines import Engines
from service.follow import Follower
from service.live import Live
from service.outbound.addresses import parse_networks
from service.penalise.books import Books
from service.penalise.foresight import Foresight, tallies_of
from service.penalise.load import load_ladders
from service.pipeline import Pipeline
from service.record.bell import make_bell
from service.record.counter import HourlyCounter
from service.record.retention import forget_forever
from service.record.sealed import open_sealer
from service.replicas.open import open_conversations, open_rates
from service.settings import Settings, read_settings
from service.traffic import Traffic
from service.watch import Watch
from service.workbench import BUNDLES, Workbench

DESCRIPTION = "Checks what a customer-service agent is about to send, before the customer sees it."

DISK_SECONDS = 1.5
"""How much longer than for the database an answer waits for the journal, before the fail action decides."""
TALLY_SECONDS = 1.0
"""How old the sums behind a forecast may be."""


def create_app(settings: Settings | None = None, live: Live | None = None, *, served: bool = False) -> FastAPI:
    """The service. `live` is an engine that was compiled already; else the data files are compiled at start. `served`:
    the process is this application's alone, and ends with it.
    """
    settings = settings or read_settings()
    gates: list[Gate] = []
    hot = {each.path: Hot(each.handle, each.takes_forms) for each in OPERATIONS}
    app = FastAPI(
        title="Shenyan 慎言",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan_of(settings, live, served, lambda: sum(gate.in_flight for gate in gates)),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Asking whether somebody traces costs as much as finding the route; traces would hold messages, too.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # The gate answers their POSTs itself; here they stand for what else the framework must know, such as 405.
        routes=[Route(path, endpoint, methods=["POST"]) for path, endpoint in hot.items()],
    )
    answer_errors_as_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_route("/docs", docs_page, include_in_schema=False)
    if settings.demo:
        app.router.routes.extend(demo_routes())
    document: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not document:
            document.append(openapi_of(app))
        return document[0]

    app.openapi = openapi  # type: ignore[method-assign]
    inner = app.build_middleware_stack

    def with_gate() -> ASGIApp:
        # Before the framework's own layers: what carries the load does not pay for them.
        gates.append(Gate(inner(), settings.max_in_flight, settings.max_body_bytes, hot, hooked))
        return Cors(gates[-1], settings.origins) if settings.origins else gates[-1]

    app.build_middleware_stack = with_gate  # type: ignore[method-assign]
    return app


def lifespan_of(
    settings: Settings, live: Live | None, served: bool, in_flight: Callable[[], int]
) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    """Opens the parts in order and closes them in reverse; what waits to be written is written first."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        clock = SystemClock()
        compiled = live or compile_live(settings)
        # Of the shipped files alone: what tenants have laid over it is this database's.
        serving = Live(compiled.engine, compiled.shipped)
        log = make_log(settings.log_level)
        metrics = Metrics(settings.metrics_dir if settings.workers > 1 else None)
        sealer = open_sealer(settings)
        conversations, rates = open_conversations(settings), open_rates(settings)
        database = await open_database(settings, clock)
        ladders = load_ladders(settings.lexicon_dir)
        books = Books(ladders)
        recording = open_recording(settings, database, books, clock, log, metrics)
        counter = HourlyCounter(database, clock)
        counter.start()
        workbench = Workbench(settings.lexicon_dir, settings.cache_dir)
        bundles = Bundles(settings.cache_dir / BUNDLES)
        engines = Engines(serving, database, settings.database_url, bundles, workbench)
        jobs = Jobs(database, settings.database_url, workbench, clock)
        shops = Shops(database, settings.stale_seconds)
        dropped = metrics.figures.count(
            "shenyan_traffic_dropped", "Messages that no sample or shadow had room for.", "part"
        )
        traffic = Traffic(database, clock, keep_evidence=settings.keep_evidence, dropped=dropped.add)
        followers = (shops.follow, Follower(traffic, engines, database, log).follow)
        watch = Watch(engines, database, make_bell(settings.database_url), clock, log, followers)
        fetcher = open_fetcher(settings)
        pipeline = Pipeline(
            serving,
            recording.writer,
            conversations,
            clock,
            settings.record_timeout + DISK_SECONDS,
            settings.keep_evidence,
            Foresight(ladders, Remembered(tallies_of(database, ladders), TALLY_SECONDS).get),
            traffic,
        )
        webhooks = open_webhooks(settings, database, sealer, clock, log, metrics.figures)
        hooks = Hooks(database, sealer, metrics.figures, clock, log, parse_networks(settings.fetch_networks))
        tracer = Tracer.open(settings.otlp_endpoint, settings.trace_ratio)
        vitals = open_vitals(metrics, log, pipeline, watch, in_flight)
        watch_recording(vitals, recording)
        if settings.redis_url:
            vitals.watch("redis_well", lambda: not (conversations.lost or rates.lost), "1: Redis answers.")
        forgetting = asyncio.create_task(
            forget_forever(database, clock, settings.reply_days, settings.webhook_keep_days, settings.incident_days)
        )
        # The engine lives as long as the process, so the garbage collector need not walk through it again and again.
        gc.freeze()
        try:
            await recording.start()
            await watch.start()
            await hooks.start()
            webhooks.start()
            traffic.start()
            vitals.start()
            log.info("started", version=__version__, lexicon=serving.engine.lexicon_version, worker_id=watch.worker_id)
            yield State(
                settings=settings,
                clock=clock,
                database=database,
                pipeline=pipeline,
                recording=recording,
                books=books,
                keys=Keys(database, rates, metrics.rate_limited, settings.stale_seconds),
                shops=shops,
                counter=counter,
                fetcher=fetcher,
                metrics=metrics,
                watch=watch,
                jobs=jobs,
                sealer=sealer,
                hooks=hooks,
                webhooks=webhooks,
                log=log,
                notices=Notices(log, settings.slow_seconds),
                tracer=tracer,
            )
        finally:
            log.info("stopping", worker_id=watch.worker_id)
            if served:
                end_process_within()
            forgetting.cancel()
            # Whatever may still give the writer something, then the writer.
            await close_within(0.5, log, hooks=hooks.close(), webhooks=webhooks.close())
            more = {} if fetcher is None else {"fetcher": fetcher.close()}
            await close_within(
                2.5,
                log,
                recording=recording.close(),
                jobs=jobs.close(),
                watch=watch.close(),
                traffic=traffic.close(),
                counter=counter.close(),
                conversations=conversations.close(),
                rates=rates.close(),
                **more,
            )
            await close_within(0.5, log, database=database.close())
            await vitals.close()
            if tracer is not None:
                await asyncio.to_thread(tracer.close)
            log.info("stopped", worker_id=watch.worker_id)
            gc.unfreeze()

    return lifespan
