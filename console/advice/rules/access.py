"""Service accounts of Spark: which one, what it may do, and what OpenShift lets its pods be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from console.advice.ground import Ground
from console.advice.model import Advice, Priority, Unjudged
from console.advice.objects import PostureObject
from console.advice.rights import SCC, Bound, bound_to, dangers, groups_of
from console.advice.rule import AdviceAnswer, AppRule, GroundRule
from console.advice.rules.namespaces import blind
from console.advice.view import View
from console.apps.evidence import of_pod
from console.apps.groups import role_of
from console.base.text import plural
from console.facts.evidence import Evidence
from console.facts.model import Pod

RBAC = "https://spark.apache.org/docs/latest/running-on-kubernetes.html#rbac"
PRACTICES = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
ACCOUNTS = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"
OPENSHIFT = (
    "https://docs.openshift.com/container-platform/latest/authentication/managing-security-context-constraints.html"
)
NEEDS = (
    "bind a Role of the namespace: create, get, list, watch, patch, update, delete and deletecollection of pods, "
    "services, configmaps and persistentvolumeclaims"
)


def default_account(view: View) -> AdviceAnswer:
    """A driver that runs as the account that every pod of the namespace gets."""
    driver = view.case.driver
    if driver is None or driver.gone or view.app.launcher in ("standalone", "unknown") or not _known(driver):
        return
    if driver.service_account == "default":
        yield view.advise(
            "default-service-account",
            "security",
            "medium",
            "the driver runs as the namespace's default service account",
            because="the rights that a driver needs are then given to every pod of the namespace that names no account",
            do="make an account for Spark and name it: spec.driver.serviceAccount, or "
            "spark.kubernetes.authenticate.driver.serviceAccountName",
            holds_for="every Spark version on Kubernetes",
            source=RBAC,
            evidence=(of_pod(driver, "serviceAccountName: default"),),
        )


def _known(pod: Pod) -> bool:
    return bool(pod.service_account)


def executor_token(ground: Ground) -> AdviceAnswer:
    """Executors that carry the driver's token."""
    for view in ground.views:
        driver = view.case.driver
        if driver is None or driver.gone or driver.service_account in ("", "default"):
            continue
        same = [
            p
            for p in view.case.executors
            if not p.gone and p.service_account == driver.service_account and _mounts(ground, p)
        ]
        if same:
            yield view.advise(
                "executor-token",
                "security",
                "medium",
                f"{plural(len(same), 'executor')} with a token of the driver's service account",
                because="tasks run code of users and need no API server; with this token they may create pods",
                do="give executors an account without rights: spec.executor.serviceAccount, or "
                "spark.kubernetes.authenticate.executor.serviceAccountName, and automountServiceAccountToken: false",
                holds_for="Spark 3.1 and later",
                source=ACCOUNTS,
                about=driver.service_account,
                evidence=(of_pod(same[0], f"serviceAccountName: {same[0].service_account}, token mounted"),),
            )


def _mounts(ground: Ground, pod: Pod) -> bool:
    said = pod.security.get("automountServiceAccountToken")
    if said is not None:
        return bool(said)
    account = next(
        (a for a in ground.posture.of("serviceaccounts", pod.namespace) if a.name == pod.service_account), None
    )
    return account is None or account.automountServiceAccountToken is not False


def rights(ground: Ground) -> AdviceAnswer:
    """Accounts of Spark pods with rights that Spark has no use for."""
    used = _accounts(ground)
    if not used:
        return
    for kind in ("clusterrolebindings", "rolebindings"):
        unseen = [n for n in ground.spaces if not ground.posture.readable(kind, "" if kind[0] == "c" else n)]
        if unseen:
            yield from blind(ground, kind, unseen[0], f"which rights {kind} give to Spark's service accounts")
    for (namespace, account), pods in sorted(used.items()):
        for bound in bound_to(ground.posture, namespace, account):
            if bound.grants is None:
                role = bound.binding.roleRef
                named = f"{role.kind} {role.name}" if role is not None else "its role"
                state = ground.posture.states.get("clusterroles")
                yield Unjudged(
                    "security",
                    f"what {named} gives to {namespace}/{account}",
                    "the rules of the role may not be read",
                    state.hint if state is not None else "",
                    f"ServiceAccount/{namespace}/{account}",
                )
                continue
            found = list(dangers(bound))
            if found:
                yield _wide(namespace, account, bound, found, pods)


def _wide(namespace: str, account: str, bound: Bound, found: list[tuple[str, Priority]], pods: list[Pod]) -> Advice:
    where = "in every namespace" if bound.wide else f"in {bound.binding.namespace}"
    words = [w for w, _ in found]
    return Advice(
        "over-wide-account",
        "security",
        "high" if any(priority == "high" for _, priority in found) else "medium",
        f"ServiceAccount/{namespace}/{account}",
        f"{plural(len(pods), 'Spark pod')} may {_and(words)} {where}",
        "whoever may submit a job, or finds a way into one, has these rights; a driver has no use for them",
        NEEDS,
        "every Kubernetes version",
        PRACTICES,
        bound.binding.name,
        (
            Evidence("kubernetes", bound.place, bound.words),
            of_pod(pods[0], f"serviceAccountName: {account}"),
        ),
        namespace=namespace,
    )


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _accounts(ground: Ground) -> dict[tuple[str, str], list[Pod]]:
    """(namespace, account) → the living driver, executor and Connect pods that run as it."""
    out: dict[tuple[str, str], list[Pod]] = defaultdict(list)
    for namespace in ground.spaces:
        for pod in ground.pods(namespace):
            if pod.phase in ("Pending", "Running") and role_of(pod) and pod.service_account:
                out[namespace, pod.service_account].append(pod)
    return out


def constraints(ground: Ground) -> AdviceAnswer:
    """Security context constraints that let Spark's pods be more than they need."""
    if not ground.posture.served("securitycontextconstraints"):
        return
    if not ground.posture.readable("securitycontextconstraints"):
        yield from blind(ground, "securitycontextconstraints", "", "which security context constraints Spark may use")
        return
    for (namespace, account), pods in sorted(_accounts(ground).items()):
        bindings = bound_to(ground.posture, namespace, account)
        for scc in ground.posture.of("securitycontextconstraints"):
            how = _may_use(scc, namespace, account, bindings)
            frees = _frees(scc)
            if how is None or not frees:
                continue
            fatal = frees != ["run as any user"]
            yield Advice(
                "wide-scc",
                "security",
                "high" if fatal else "medium",
                f"ServiceAccount/{namespace}/{account}",
                f"{plural(len(pods), 'Spark pod')} may {_and(frees)} by the constraint {scc.name}",
                "a job's pods can then "
                + ("take over their node" if fatal else "run as root; Spark's image runs as any user of the range"),
                f"take {scc.name} from the account; restricted-v2 is enough for Spark",
                "OpenShift 4.11 and later",
                OPENSHIFT,
                scc.name,
                (Evidence("kubernetes", *how),),
                namespace=namespace,
            )


def _may_use(scc: PostureObject, namespace: str, account: str, bindings: list[Bound]) -> tuple[str, str] | None:
    """(where, what) says that the account may use the constraint; None where nothing does."""
    place = f"/apis/{SCC}/v1/securitycontextconstraints/{scc.name}"
    user = f"system:serviceaccount:{namespace}:{account}"
    if user in (scc.users or ()):
        return place, f"users: {user}"
    group = next((g for g in scc.groups or () if g in groups_of(namespace)), None)
    if group is not None:
        return place, f"groups: {group}"
    for bound in bindings:
        if any(g.everything for g in bound.grants or ()):
            continue
        if bound.gives("use", "securitycontextconstraints", SCC, scc.name):
            return bound.place, f"{bound.words}: use of {scc.name}"
    return None


def _frees(scc: PostureObject) -> list[str]:
    out = []
    if scc.allowPrivilegedContainer:
        out.append("be privileged")
    if scc.allowHostNetwork or scc.allowHostPID or scc.allowHostDirVolumePlugin:
        out.append("use the host")
    if scc.runAsUser is not None and scc.runAsUser.type == "RunAsAny":
        out.append("run as any user")
    return out


def unreadable_spaces(ground: Ground) -> Iterator[Unjudged]:
    """Service accounts that may not be read: whether tokens are mounted is then taken as the default says."""
    for namespace in ground.spaces:
        if ground.pods(namespace) and not ground.posture.readable("serviceaccounts", namespace):
            yield from blind(ground, "serviceaccounts", namespace, "which service accounts keep tokens out of pods")


RULES = [
    AppRule("default-service-account", "security", default_account),
    GroundRule("executor-token", "security", executor_token),
    GroundRule("over-wide-account", "security", rights),
    GroundRule("wide-scc", "security", constraints),
    GroundRule("unreadable-accounts", "security", unreadable_spaces),
]
