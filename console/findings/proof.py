"""How far each incident class is proven: by a recorded failure, or only by wording that documents and sources give.

A class that no real failure has confirmed is never judged with high confidence.
"""

from __future__ import annotations

from msgspec.structs import replace

from console.findings.model import Finding

RECORDED: dict[str, str] = {
    "I01": "executors OOMKilled on Kubernetes 1.20 and 1.37, JVM and Python workers",
    "I02": "executors with 52 and GC overhead, Spark 4.3, Kubernetes 1.20",
    "I04": "driver OOMKilled, driver heap, results too large",
    "I05": "fetch failures after a killed, a terminated and a silent executor",
    "I06": "an executor that was terminated from outside",
    "I07": "an executor without heartbeats",
    "I08": "a full local disk",
    "I09": "a claim of a storage class that does not exist",
    "I10": "a task that does not end",
    "I11": "a skewed key, with and without AQE",
    "I12": "Python workers that crash, with and without a traceback of the interpreter",
    "I13": "images that cannot be pulled, driver and executors",
    "I14": "pods without a node, a standalone application without a worker",
    "I15": "a standalone application without a GPU",
    "I16": "a service account without rights",
    "I17": "an admission webhook that nobody serves",
    "I22": "an S3A client without credentials, and one that is refused",
    "I23": "an S3A client that is told to slow down",
    "I24": "a metastore that is down",
    "I25": "a listener bus that drops events",
    "I26": "a Connect server whose class is missing",
}
CITED: dict[str, str] = {
    "I03": "metrics and REST fields of Spark; thresholds of the domain notes",
    "I18": "states of the operators' sources",
    "I19": "Deployment status, workqueue metrics and leader election of controller-runtime",
    "I20": "status fields of ScheduledSparkApplication",
    "I21": "the operator's histogram of start latency",
    "I27": "errors of CUDA and of RAPIDS",
    "I28": "XID codes of the NVIDIA driver",
    "I29": "fields of dcgm-exporter",
    "I30": "resources of the device plugin",
}


def honest(finding: Finding) -> Finding:
    """The finding with no more confidence than its class has proof."""
    if finding.class_ in CITED and finding.confidence == "high":
        doubt = f"known from {CITED[finding.class_]}, not from a recorded failure: read the quoted evidence itself"
        return replace(finding, confidence="medium", open_questions=(*finding.open_questions, doubt))
    return finding
