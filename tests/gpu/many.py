"""A fleet of many GPUs as the three questions answer it: for benchmarks, without a server."""

from __future__ import annotations

from console.facts.model import Facts, Origin, Sample
from console.facts.series import MARK
from console.gpu.asks import CLAIMS, NOW, PAST, STAT
from tests.findings import worlds as w
from tests.gpu.expositions import Card, exposition, scraped

PER_NODE = 8


def samples(gpus: int = 64, at: float = w.T0 + 600) -> tuple[Sample, ...]:
    """The marked answers to the three questions, for half of the nodes in each generation of names."""
    out: list[Sample] = []
    for place in range(0, gpus, PER_NODE):
        node = f"gpu-{place // PER_NODE:02d}"
        cards = [
            Card(i, busy=0.5, engine=0.5, used=4e10, pod=f"etl-exec-{place + i}", namespace=w.NS, node=node)
            for i in range(min(PER_NODE, gpus - place))
        ]
        text = exposition(cards, renamed=place // PER_NODE % 2 == 1)
        target = {"instance": f"{node}:9400", "job": "dcgm", "pod": f"dcgm-{node}", "namespace": "gpu-operator"}
        out += [_marked(s, NOW) for s in scraped(text, at, **target)]
        for card in cards:
            who = {"UUID": card.uuid, "gpu": str(card.index), "Hostname": node}
            told = (("busy", at), ("first", at - 21600), ("count", 73.0), ("most", 50.0))
            out += [_answer(who, stat, value, PAST, at) for stat, value in told]
            claim = {"node": node, "namespace": w.NS, "pod": card.pod, "resource": "nvidia_com_gpu"}
            out.append(_answer(claim, "claim", 1.0, CLAIMS, at))
    return (*out, _answer({}, "ksm", float(gpus), CLAIMS, at))


def facts(gpus: int = 64) -> Facts:
    """The fleet with its nodes, its executors and its samples."""
    names = [f"gpu-{n:02d}" for n in range((gpus + PER_NODE - 1) // PER_NODE)]
    amount = {"nvidia.com/gpu": str(PER_NODE)}
    nodes = [w.node(name, capacity=amount, allocatable=amount) for name in names]
    executors = [
        w.executor(n, limits={"memory": "8Gi", "nvidia.com/gpu": "1"}, node=names[n // PER_NODE]) for n in range(gpus)
    ]
    return w.facts(*nodes, w.driver(), *executors, *samples(gpus))


def _marked(sample: Sample, ask: str) -> Sample:
    return Sample(sample.name, {**sample.labels, MARK: ask}, sample.value, sample.at, sample.origin)


def _answer(labels: dict[str, str], stat: str, value: float, ask: str, at: float) -> Sample:
    return Sample("", {**labels, STAT: stat, MARK: ask}, value, at, Origin("prometheus", ask, at))
