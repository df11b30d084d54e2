"""Object stores that refuse (I22), throttle or cannot be reached (I23), and their connector that is missing."""

from __future__ import annotations

import re

from console.apps.evidence import of_hit, of_rest
from console.facts.evidence import Evidence
from console.facts.logs import Hit, cut_short
from console.findings.case import Case
from console.findings.figures.storage import ObjectStoreFigures
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.simple import LogRule

_DENIED = (
    (("RequestTimeTooSkewed",), "clock", "the clock of the node is wrong: signatures are refused"),
    (("ExpiredToken", "The provided token has expired"), "expired", "the credentials have expired"),
    (
        (
            "NoAuthWithAWSException",
            "NoAwsCredentialsException",
            "No AWS Credentials",
            "Unable to load credentials",
            "Unable to load AWS credentials",
            "No credentials found for account",
        ),
        "none",
        "there are no credentials",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "failed to authenticate"),
        "identity",
        "the access key is unknown or wrong",
    ),
    (
        (
            "AccessDenied",
            "Status Code: 403",
            "does not have storage",
            "AuthorizationPermissionMismatch",
            "to perform this operation using this permission",
        ),
        "policy",
        "the identity lacks the right (bucket policy, KMS key)",
    ),
)
_BUCKET = re.compile(r"(?:s3a?|gs|abfss?|wasbs?)://[\w.@-]+(?:/[\w./=-]{0,80})?")
_S3 = re.compile(r"s3a?://|hadoop\.fs\.s3a|services\.s3\.|Service: (?:Amazon )?S3")


def object_store_denied(case: Case) -> Answer:
    """The object store refuses: identity, expiry, rights, clock."""
    hits = [h for h in case.hits("s3-denied", roles=("driver", "executor", "submit", "other")) if _store(h)]
    stages = _stages(case, ("AccessDenied", "Status Code: 403", "NoAuthWithAWS", "ExpiredToken"))
    if not hits and not stages:
        return "no object store refused access"
    if (known := next((f for f in case.so_far if f.code == "identity-refused"), None)) is not None:
        return f"the store was never asked: {known.title}"
    body = " ".join(h.record.body[:2_000] for h in hits[:20]) + " ".join(e.excerpt for e in stages)
    word, why = next(
        ((w, y) for words, w, y in _DENIED if any(k in body for k in words)), ("policy", "access is denied")
    )
    bucket = _bucket(body)
    return [
        finding(
            case,
            "object-store-denied",
            "I22",
            severity_of(case),
            "high" if any(_S3.search(h.record.body + h.text) for h in hits) else "medium",
            f"object store denies access: {why}",
            detail=bucket or why,
            evidence=[*[of_hit(h) for h in spread(hits)], *stages[:1]],
            ruled_out=[
                ("I23", "the answer is 403, not 503: it is no throttling"),
                ("user code", "the store refused the identity"),
            ],
            questions=["one job or all: all at once is a rotated secret, one is a policy"],
            data=ObjectStoreFigures(bucket=bucket, cause=word),
        )
    ]


def _bucket(text: str) -> str:
    """URL of the first path that a text names; `` where it names none."""
    found = _BUCKET.search(text)
    return found.group(0) if found is not None else ""


def _store(hit: Hit) -> bool:
    """An `AccessDeniedException` of a local file is not an object store's."""
    body = hit.record.body + hit.text
    if "AccessDeniedException" in hit.text and not re.search(
        r"s3|gs://|abfs|wasb|amazonaws|storage", body, re.IGNORECASE
    ):
        return False
    return hit.record.level != "INFO"


def spread(hits: list[Hit]) -> list[Hit]:
    """The first two places and the last, of many."""
    return [*hits[:2], *hits[-1:]] if len(hits) > 2 else hits


def _stages(case: Case, words: tuple[str, ...]) -> list[Evidence]:
    """Stages that failed for one of these words."""
    out = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if any(w in reason for w in words):
            out.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    return out


def object_store_throttled(case: Case) -> Answer:
    """The object store slows the application down: 503 SlowDown."""
    hits = case.hits("s3-throttled", roles=("driver", "executor"))
    stages = _stages(case, ("SlowDown", "Status Code: 503", "AWSServiceThrottledException"))
    if not hits and not stages:
        return "no object store asked for fewer requests"
    body = " ".join(h.record.body[:1_000] for h in hits[:20])
    bucket = _bucket(body)
    return [
        finding(
            case,
            "object-store-throttled",
            "I23",
            severity_of(case),
            "high" if (len(hits) > 1 or stages) and _S3.search(body + str(stages)) else "medium",
            "object store throttles: 503 SlowDown",
            detail=bucket or "too many requests for one prefix or endpoint",
            evidence=[*[of_hit(h) for h in spread(hits)], *stages[:1]],
            ruled_out=[("I22", "the store answers 503: the identity is accepted")],
            questions=[
                "one hot prefix, a commit of many files, or a store with a node down: requests per prefix and the "
                "store's own health"
            ],
            data=ObjectStoreFigures(bucket=bucket, hits=len(hits), more=cut_short(hits)),
        )
    ]


UNREACHABLE = LogRule(
    code="object-store-unreachable",
    class_="I23",
    wordings=("s3-unreachable",),
    roles=("driver", "executor"),
    unless=("s3-throttled", "store-pool", "untrusted-certificate"),
    holds_not="the object store could be reached",
    title="object store cannot be reached",
    confidence="low",
    questions=("network, DNS, endpoint or the store itself: reach the endpoint from the driver's node",),
    figures=lambda _, hits: ObjectStoreFigures(bucket=_bucket(hits[0].record.body[:2_000])),
)

NO_CONNECTOR = LogRule(
    code="object-store-jar-missing",
    class_=None,
    wordings=("s3-class-missing",),
    roles=("driver", "executor", "submit"),
    holds_not="the connector of the object store is there",
    title="the image lacks hadoop-aws: S3AFileSystem not found",
    confidence="high",
    fatal=True,
    quoted=2,
    ruled_out=(("I22", "no request was ever sent"),),
)


RULES = [
    Rule("object-store-denied", "I22", object_store_denied),
    Rule("object-store-throttled", "I23", object_store_throttled),
    UNREACHABLE,
    NO_CONNECTOR,
]
