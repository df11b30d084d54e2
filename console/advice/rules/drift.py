"""Versions and images that differ where they should not. A tag is a name: only what a program says is its version."""

from __future__ import annotations

import re
from collections import defaultdict

from console.advice.catalogue import version_of
from console.advice.ground import Ground
from console.advice.model import Advice, Unjudged
from console.advice.rule import AdviceAnswer, AppRule, GroundRule
from console.advice.version import VersionStatement, is_history_server, served, tag_version
from console.advice.view import View
from console.apps.evidence import of_pod, of_rest
from console.apps.groups import role_of
from console.facts.evidence import Evidence
from console.facts.model import Pod, RestDocument

COMPATIBLE = "https://spark.apache.org/docs/latest/running-on-kubernetes.html#docker-images"
MONITORING = "https://spark.apache.org/docs/latest/monitoring.html"
IMAGES = "https://kubernetes.io/docs/concepts/containers/images/#image-names"
_FLOATING = re.compile(
    r"(?:latest|main|master|dev|develop|stable|edge|nightly|snapshot|current|prod|test|v?\d+(?:\.\d+)?)$"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{12,}")


def versions(view: View) -> AdviceAnswer:
    """What the driver says it runs against what was declared and what its executors carry."""
    driver = next((s for s in view.said if s.who == "driver" and s.proof == "runtime"), None)
    declared = next((s for s in view.said if s.who == "declared"), None)
    labels = [s for s in view.said if s.who == "executors"]
    first = driver or (labels[0] if labels else None)
    if first is None:
        if declared is not None and view.app.live and view.case.driver is not None:
            yield view.unjudged(
                "versions",
                f"whether it runs the declared Spark {declared.version}",
                "neither its REST API nor its log nor a label says what it runs; a tag proves nothing",
                "the driver's REST API (pods/proxy) or log (pods/log)",
            )
        return
    if declared is not None and version_of(declared.version) != version_of(first.version):
        yield _differs(view, "spec.sparkVersion", declared, first)
    for other in labels:
        if other.version != first.version:
            yield _differs(view, "executors", other, first)


def _differs(view: View, what: str, other: VersionStatement, runs: VersionStatement) -> Advice:
    executors = what == "executors"
    return view.advise(
        "version-drift",
        "versions",
        "high" if executors else "medium",
        f"the driver runs Spark {runs.version}, {'its executors say' if executors else what + ' says'} {other.version}",
        because="driver and executors of different versions do not understand each other's messages and classes"
        if executors
        else "the operator and people choose by the declared version; what runs is the image's",
        do="use one image for both" if executors else f"declare {runs.version}, or run an image with {other.version}",
        holds_for="every Spark version",
        source=COMPATIBLE,
        about=what,
        evidence=(runs.evidence, other.evidence),
    )


def images(view: View) -> AdviceAnswer:
    """Driver and executors of one application: different images, or one name that was two things."""
    driver = view.case.driver
    if driver is None or driver.main is None or driver.gone:
        return
    selector = driver.labels.get("spark-app-selector", "")
    for pod in view.case.executors:
        main = pod.main
        if main is None or pod.gone or (selector and pod.labels.get("spark-app-selector", selector) != selector):
            continue
        if main.image and driver.main.image and main.image != driver.main.image:
            said = sorted({v for i in (main.image, driver.main.image) if (v := tag_version(i))})
            yield view.advise(
                "image-drift",
                "versions",
                "high" if len(said) > 1 else "low",
                "driver and executors run different images" + (f", tagged {' and '.join(said)}" if said[1:] else ""),
                because="they must hold the same Spark, the same Python and the same libraries; tags do not prove it",
                do="use one image for both, or build both of one base",
                holds_for="every Spark version on Kubernetes",
                source=COMPATIBLE,
                evidence=(of_pod(driver, f"image: {driver.main.image}"), of_pod(pod, f"image: {main.image}")),
            )
            return


def tags(ground: Ground) -> AdviceAnswer:
    """One tag that is several images, and tags that are made to move."""
    by_image: dict[str, dict[str, list[Pod]]] = defaultdict(lambda: defaultdict(list))
    for namespace in ground.spaces:
        for pod in [p for p in ground.facts.pods if p.namespace == namespace and not p.gone]:
            main = pod.main
            if main is None or not main.image or not (role_of(pod) or is_history_server(pod)):
                continue
            found = _DIGEST.search(main.image_id)
            by_image[main.image][found.group(0) if found else ""].append(pod)
    for image, digests in sorted(by_image.items()):
        if "@sha256:" in image:
            continue
        known = {d: pods for d, pods in digests.items() if d}
        if len(known) > 1:
            yield _moved(image, known)
        elif _floats(image):
            yield _floating(image, next(iter(digests.values())))


def _moved(image: str, digests: dict[str, list[Pod]]) -> Advice:
    first = min((p for pods in digests.values() for p in pods), key=lambda p: p.key)
    proof = tuple(of_pod(pods[0], f"{image} is {d[:19]}…") for d, pods in sorted(digests.items())[:4])
    return Advice(
        "tag-moved",
        "versions",
        "high",
        f"Image//{image}",
        f"the tag {image} is {len(digests)} different images in running pods",
        "pods that look alike run different code: which one a pod gets depends on what its node pulled when",
        "pin the image by its digest, or give every build a tag of its own",
        "every Kubernetes version",
        IMAGES,
        evidence=proof,
        namespace=first.namespace,
    )


def _floating(image: str, pods: list[Pod]) -> Advice:
    tag = image.rpartition("/")[2].partition(":")[2]
    return Advice(
        "floating-tag",
        "versions",
        "medium",
        f"Image//{image}",
        f"{len(pods)} Spark pods use {'no tag, which means latest' if not tag else f'the tag {tag}, which moves'}",
        "the next pod may run other code than this one, and a rollback has nothing to go back to",
        "name a full version, or pin the image by its digest",
        "every Kubernetes version",
        IMAGES,
        evidence=(of_pod(pods[0], f"image: {image}"),),
        namespace=pods[0].namespace,
    )


def _floats(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return not tag or bool(_FLOATING.match(tag))


def fleet(ground: Ground) -> AdviceAnswer:
    """History Servers and Connect servers against the applications."""
    apps = [(v, s) for v in ground.everyone for s in v.said[:1] if s.proof == "runtime" and v.app.launcher != "connect"]
    told = {d.pod: d for d in ground.facts.rest if d.path == "version" and served(d)}
    servers = [p for p in ground.facts.pods if is_history_server(p) and not p.gone and p.namespace in ground.spaces]
    for pod in sorted(servers, key=lambda p: f"{p.namespace}/{p.name}"):
        document = told.get(f"{pod.namespace}/{pod.name}")
        if document is None:
            yield Unjudged(
                "versions",
                "whether the History Server can read every event log",
                "it did not say its version; a tag proves nothing",
                "services/proxy or pods/proxy",
                pod.key,
            )
        else:
            yield from _older(pod, document, apps)
    yield from _connect(ground)


def _older(pod: Pod, document: RestDocument, apps: list[tuple[View, VersionStatement]]) -> AdviceAnswer:
    """A History Server against the newest application."""
    mine = served(document)
    newer = [(view, said) for view, said in apps if _number(said.version) > _number(mine)]
    if not newer:
        return
    view, said = max(newer, key=lambda pair: _number(pair[1].version))
    yield Advice(
        "history-server-older",
        "versions",
        "medium",
        pod.key,
        f"the History Server is Spark {mine}, {len(newer)} applications are newer (up to {said.version})",
        "event logs of newer versions may hold events and compression that it cannot read; they then miss",
        f"run a History Server of Spark {said.version} or later: it reads older logs as well",
        "every Spark version",
        MONITORING,
        evidence=(of_rest(document.origin, f"spark {mine}"), said.evidence),
        namespace=pod.namespace,
        app=view.app.key,
    )


def _number(text: str) -> tuple[int, int]:
    return version_of(text) or (0, 0)


def _connect(ground: Ground) -> AdviceAnswer:
    """Connect servers of different versions in one namespace: clients must match the one that they reach."""
    found: dict[str, list[tuple[str, Evidence]]] = defaultdict(list)
    for view in ground.views:
        if view.app.launcher == "connect" and view.said and view.said[0].proof == "runtime":
            found[view.app.namespace].append((view.said[0].version, view.said[0].evidence))
    for namespace, said in sorted(found.items()):
        known = sorted({v for v, _ in said})
        if len({version_of(v) for v in known}) > 1:
            yield Advice(
                "connect-versions",
                "versions",
                "low",
                f"Namespace//{namespace}",
                f"Connect servers of Spark {', '.join(known)} run side by side in {namespace}",
                "a client works with servers of its own version or newer; one that reaches an older server may fail",
                "name the version in the Service, and point each client at its own",
                "Spark 3.4 and later",
                "https://spark.apache.org/docs/latest/spark-connect-overview.html",
                evidence=tuple(e for _, e in said[:4]),
                namespace=namespace,
            )


RULES = [
    AppRule("version-drift", "versions", versions),
    AppRule("image-drift", "versions", images),
    GroundRule("tags", "versions", tags),
    GroundRule("fleet", "versions", fleet),
]
