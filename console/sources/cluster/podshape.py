"""The parts of a Pod's JSON that are read, as typed structs; parts that repeat from pod to pod stay raw text."""

from __future__ import annotations

from msgspec import Raw, Struct, field

from console.sources.cluster.lists import ListMeta

NULL = Raw()


class PodMetaShape(Struct, gc=False):
    name: str
    namespace: str | None = ""
    uid: str = ""
    resourceVersion: str = ""
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None
    deletionGracePeriodSeconds: int | None = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    ownerReferences: Raw = NULL


class SpecContainer(Struct, gc=False):
    name: str = ""
    image: str = ""
    args: list[str] | None = None
    resources: Raw = NULL
    env: Raw = NULL
    restartPolicy: str | None = None
    securityContext: Raw = NULL


class PodSpecShape(Struct, gc=False):
    containers: list[SpecContainer] | None = None
    initContainers: list[SpecContainer] | None = None
    nodeName: str = ""
    priorityClassName: str = ""
    serviceAccountName: str = ""
    tolerations: Raw = NULL
    nodeSelector: Raw = NULL
    volumes: Raw = NULL
    schedulingGates: Raw = NULL
    securityContext: Raw = NULL
    hostNetwork: bool = False
    hostPID: bool = False
    hostIPC: bool = False
    automountServiceAccountToken: bool | None = None


class Running(Struct, gc=False):
    startedAt: str | None = None


class Waiting(Struct, gc=False):
    reason: str = ""
    message: str = ""


class TerminatedShape(Struct, gc=False):
    exitCode: int | None = None
    reason: str = ""
    message: str = ""
    signal: int | None = None
    startedAt: str | None = None
    finishedAt: str | None = None


class StateShape(Struct, gc=False):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: TerminatedShape | None = None


class StatusContainer(Struct, gc=False):
    name: str = ""
    image: str = ""
    imageID: str = ""
    state: StateShape | None = None
    lastState: StateShape | None = None
    restartCount: int = 0
    ready: bool = False
    resources: Raw = NULL
    allocatedResourcesStatus: Raw = NULL


class PodStatusShape(Struct, gc=False):
    phase: str = ""
    reason: str = ""
    message: str = ""
    podIP: str = ""
    startTime: str | None = None
    conditions: Raw = NULL
    containerStatuses: list[StatusContainer] | None = None
    initContainerStatuses: list[StatusContainer] | None = None


class PodShape(Struct, gc=False):
    metadata: PodMetaShape
    spec: PodSpecShape = field(default_factory=PodSpecShape)
    status: PodStatusShape = field(default_factory=PodStatusShape)


class PodList(Struct, gc=False):
    metadata: ListMeta = field(default_factory=ListMeta)
    items: list[PodShape] = []
