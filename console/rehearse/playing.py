"""A drill with the real engine: the simulated cluster in its own thread, played by a person or alone, and judged."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from console.base.document import dotted
from console.base.document import walk as tree
from console.base.errors import ConsoleError
from console.base.paths import library, private_dir, state_dir
from console.base.text import listed
from console.drill.kube.record import Write
from console.drill.scenario.model import Accepted, Scenario, ScenarioCase
from console.drill.session import DrillSession
from console.drill.state.clock import StepClock
from console.facts.model import Alert
from console.live import Live, Pace, Plan, Situation
from console.operate.person import Question, Reply, Scripted
from console.runbook.walk import Walk

KEPT_DRILLS = 20
"""Drills by hand whose journals are kept, the latest."""
SETTLE = 60.0
SEEN_WITHIN = 5.0
MOMENT = 1e-3
LONGEST = 1800.0
"""Wall seconds after which a walk is given up."""


class Score(Struct, frozen=True):
    """How a case was played.

    Attributes:
        outcome: of the walk; `path`: step ids; `writes`: what the cluster was really asked to change.
        expected: outcomes with which the case ends as it should. `ok`: it did, and `problems` is empty.
        slo: objective id → budget_left and burn rates, before and after.
        seconds: virtual seconds from the first step to the end.
        asked: every question of the walk, with what was answered (`` where nobody answered).
    """

    scenario: str
    case: str
    runbook: str
    outcome: str | None
    expected: tuple[str, ...]
    ok: bool
    because: str
    path: tuple[str, ...]
    writes: tuple[dict[str, Any], ...]
    slo: dict[str, dict[str, Any]]
    problems: tuple[str, ...]
    timeline: str
    walk: str
    seconds: float
    asked: tuple[tuple[Question, str], ...] = ()


class Heard(Scripted):
    """A case's answers; keeps every question with what was answered."""

    @cached_property
    def asked(self) -> list[tuple[Question, str]]:
        return []

    async def answer(self, question: Question) -> Reply | None:
        reply = await super().answer(question)
        self.asked.append((question, "" if reply is None else reply.typed or reply.value))
        return reply


class Rehearsal:
    """A running drill. Use it as a context manager; `plan` is what `Live` needs to look at it.

    Args:
        speed: virtual seconds per second; None takes the scenario's.
        step: time moves only while a walk waits for it (see `drive`), so that a slow machine changes nothing.
        now: it begins at the wall's time and keeps its pace; else it begins far enough in the past to run fast.
        keep: whether the journal stays in the state folder (for people), in a folder of this drill's own: `kept`.
            Evidence always vanishes with the drill: the next one has the same cluster again, and must not be told
            what was seen, or stopped by what was changed, in this one.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario,
        case: str = "default",
        *,
        speed: float | None = None,
        step: bool = False,
        seed: int | None = None,
        now: bool = False,
        keep: bool = False,
    ) -> None:
        self._session = DrillSession.open(scenario, case, speed=speed, step=step, seed=seed, now=now)
        self._folder = Path(tempfile.mkdtemp(prefix="console-rehearsal-"))
        self.kept = _folder_for(self.scenario.name) if keep else None
        self.removing: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="console-drill", daemon=True)
        self._up, self._down = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def session(self) -> DrillSession:
        return self._session

    @property
    def scenario(self) -> Scenario:
        return self._session.scenario

    @property
    def case(self) -> ScenarioCase:
        return self._session.case

    def __enter__(self) -> Rehearsal:
        self._thread.start()
        self._up.wait()
        if self._failure is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._leave is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(10)
        if self.kept is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self.removing = remove_behind(self._folder)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._up.set()

    async def _serve(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        async with self._session:
            self._up.set()
            await self._leave.wait()
            if self._pump is not None:
                self._pump.cancel()

    def drive(self, live: Live) -> None:
        """Let time move while a walk of `live` waits. Before a waiter wakes, `live` has seen all that happened."""

        async def begin() -> None:
            self._pump = asyncio.create_task(self._drive(live))

        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(SETTLE)

    async def _drive(self, live: Live) -> None:
        session = self._session
        clock = session.clock
        assert isinstance(clock, StepClock)
        while True:
            wake = clock.next_wake()
            if wake is None:
                await asyncio.sleep(0.001)
                continue
            done = await session.run_until(wake - MOMENT)
            session.kube.watches.bookmark()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(live.seen(done.versions)), SEEN_WITHIN)
            waiting = clock.sleepers
            while (await session.step()).woken == 0:
                pass
            until = time.monotonic() + SEEN_WITHIN
            while clock.sleepers < waiting and time.monotonic() < until:
                await asyncio.sleep(0.0005)

    def plan(self, *, pace: Pace | None = None) -> Plan:
        """How to look at this cluster, with the changes allowed that the case's mode allows."""
        from console.settings.load import load
        from console.wire.config import ContextRef

        context = self.scenario.world.cluster
        folder = self._folder
        config = folder / "config.yaml"
        mine = {"runbook_paths": [str(folder) for folder in self._books()]}
        config.write_text(yaml.safe_dump({"contexts": {context: {"mode": self.case.mode}}, **mine}))
        ref = ContextRef(context=context, kubeconfig=str(self._session.kubeconfig))
        return Plan(
            load(config, {}, context=context, flags={}),
            ref,
            clock=self._session.clock,
            kind="simulated",
            prometheus=self._session.prometheus_url,
            alertmanager=self._session.alertmanager_url,
            state=self.kept or folder,
            evidence=folder / "evidence",
            pace=pace or Pace(heartbeat=2.0, metrics=3.0, reads=3.0),
        )

    def _books(self) -> list[Path]:
        """The folder of the runbooks that the drill lies beside, where that is not the library's."""
        file = Path(self.scenario.file).resolve()
        beside = file.parent.parent if file.parent.name == "drills" else file.parent
        return [beside] if self.scenario.file and beside != library("runbooks").resolve() else []

    def alert(self) -> Alert | None:
        """The page that starts the incident, as Alertmanager sends it; None where nobody is paged."""
        from console.sources.prometheus.alertmanager import read_payload

        payload = self._session.alert
        if payload is None:
            return None
        alerts = read_payload(json.dumps(payload), "the drill's page")
        return alerts[0] if alerts else None


def remove_behind(folder: Path) -> subprocess.Popen[bytes]:
    """Have a process of its own remove `folder`: evidence of an hour is thousands of files, and a person has left."""
    what = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
    nothing = subprocess.DEVNULL
    argv = [sys.executable, "-I", "-c", what, str(folder)]
    return subprocess.Popen(argv, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)


def _folder_for(scenario: str) -> Path:
    """A folder for the journal of one drill; those of the latest `KEPT_DRILLS` stay."""
    drills = private_dir(state_dir() / "drills")
    old = sorted((path for path in drills.iterdir() if path.is_dir() and not path.is_symlink()), reverse=True)
    for path in old[KEPT_DRILLS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
    begun = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return private_dir(Path(tempfile.mkdtemp(prefix=f"{begun}-{scenario}-", dir=drills)))


def play(scenario: str | Path | Scenario, case: str = "default", *, seed: int | None = None) -> Score:
    """Play a case without a person: the runbook with the case's answers, on the simulated cluster.

    Raises:
        UsageError, DocumentError: there is no such scenario or case, or its file is wrong.
    """
    with Rehearsal(scenario, case, step=True, seed=seed) as rehearsal:
        pace = Pace(build=0.02, heartbeat=1.0, metrics=2.0, reads=10.0)
        with Live(rehearsal.plan(pace=pace)) as live:
            return _played(rehearsal, live)


def _played(rehearsal: Rehearsal, live: Live) -> Score:
    session, case = rehearsal.session, rehearsal.case
    first = _when_found(live, case)
    answers = rehearsal._folder / "answers.yaml"
    said = {"by": "the drill", "answers": dict(case.answers), "notes": True, "confirm": True}
    answers.write_text(yaml.safe_dump(said))
    person = Heard.read(answers, production=False)
    person.types = True
    given = {str(k): str(v) for k, v in case.inputs.items()}
    began = session.clock.now()
    rehearsal.drive(live)
    id = live.begin(rehearsal.scenario.runbook, alert=rehearsal.alert(), given=given, person=person).result(SETTLE)
    walk: Walk = live.finished(id).result(LONGEST)
    timeline = live.timeline(id).result(SETTLE)
    problems = tuple(_problems(case, first, walk, session))
    return Score(
        scenario=rehearsal.scenario.name,
        case=case.name,
        runbook=walk.runbook,
        outcome=walk.outcome,
        expected=case.expect.outcomes,
        ok=not problems,
        because=walk.because,
        path=walk.path,
        writes=tuple(_write(w) for w in session.changes),
        slo={"before": walk.slo_before, "after": walk.slo_after},
        problems=problems,
        timeline=timeline,
        walk=walk.id,
        seconds=session.clock.now() - began,
        asked=tuple(person.asked),
    )


def _when_found(live: Live, case: ScenarioCase) -> Situation:
    """The first situation that shows what the case expects to be found; where it expects nothing, the settled one."""
    wanted = set(case.expect.findings)
    seen = threading.Event()
    latest: list[Situation] = []

    def look(situation: Situation) -> None:
        if situation.phase == "live" and wanted <= {f.code for f in situation.board.findings}:
            latest.append(situation)
            seen.set()

    live.subscribe(look)
    settled = live.settle(SETTLE)
    look(settled)
    if not seen.wait(case.expect.within):
        found = sorted({f.code for f in live.situation.board.findings})
        missing = ", ".join(sorted(wanted - set(found)))
        raise ConsoleError(f"the drill did not show {missing}; it shows {', '.join(found) or 'nothing'}")
    return latest[0] if not wanted else latest[-1]


def _problems(case: ScenarioCase, first: Situation, walk: Walk, session: DrillSession) -> Sequence[str]:
    out = []
    if walk.outcome not in case.expect.outcomes:
        out.append(_ended_otherwise(case, walk))
    if case.expect.end and (not walk.path or walk.path[-1] != case.expect.end):
        out.append(f"ended at {walk.path[-1] if walk.path else 'nothing'}, not at {case.expect.end}")
    if missing := not_walked(case.expect.path, walk.path):
        out.append(f"did not walk {missing}: {' → '.join(walk.path)}")
    changes = session.changes
    if case.expect.writes is not None and len(changes) != case.expect.writes:
        out.append(f"{len(changes)} writes instead of {case.expect.writes}")
    for write in changes:
        if not any(_accepts(accepted, write) for accepted in case.accepted):
            said = f"{write.method} of {write.resource} {write.namespace}/{write.name} belongs to no good solution"
            fields = ", ".join(spec_fields(write))
            named = f"{{resource: {write.resource}, name: {write.name}, fields: [{fields}]}}"
            out.append(f"{said}; one is named under `accepted`: {named}")
    unasked = [f.code for f in first.board.findings if f.code not in case.expect.others]
    if not case.expect.findings and unasked:
        codes = ", ".join(dict.fromkeys(unasked))
        out.append(
            f"findings where nothing is wrong: {codes}; what the fault shows is named under `expect.findings`, "
            "what belongs to the world under `expect.others`"
        )
    return out


def _ended_otherwise(case: ScenarioCase, walk: Walk) -> str:
    """How a walk ended instead of as it should: what nobody answered, or what was seen last."""
    wanted = " or ".join(case.expect.outcomes)
    if walk.outcome is None:
        said = walk.handed.text if walk.handed is not None else "it has not ended"
        return f"{said}, so it did not end {wanted}: write `answers: {{{walk.current}: …}}`"
    seen = next((step.evidence for step in reversed(walk.steps) if step.evidence), ())
    last = listed((one.excerpt for one in seen), 3, "; ")
    return f"ended {walk.outcome}, not {wanted}: {walk.because}" + (f" (seen last: {last})" if last else "")


def not_walked(expected: Sequence[str], path: Sequence[str]) -> str:
    """The first of the expected steps that is not walked after those before it, ``."""
    steps = iter(path)
    return next((step for step in expected if step not in steps), "")


def _accepts(accepted: Accepted, write: Write) -> bool:
    return (
        accepted.resource == write.resource
        and fnmatch.fnmatchcase(write.name, accepted.name)
        and write.method in {verb.upper() for verb in accepted.verbs}
        and (not accepted.fields or set(spec_fields(write)) <= set(accepted.fields))
    )


def spec_fields(write: Write) -> list[str]:
    """The fields below `spec` that a patch sets, dotted: of a merge patch its leaves, of a JSON patch its paths."""
    try:
        body = json.loads(write.body)
    except ValueError:
        return []
    if isinstance(body, list):
        pointers = [str(op.get("path", "")) for op in body if isinstance(op, dict) and op.get("op") != "test"]
        dotted_paths = [p.strip("/").replace("/", ".").replace("~1", "/").replace("~0", "~") for p in pointers]
    else:
        dotted_paths = [dotted(path) for path, value in tree(body) if not isinstance(value, dict)]
    return sorted(p for p in dotted_paths if p.startswith("spec"))


def _write(write: Write) -> dict[str, Any]:
    return {
        "method": write.method,
        "resource": write.resource,
        "namespace": write.namespace,
        "name": write.name,
        "fields": spec_fields(write),
    }
