"""GPUs that are asked for in a way that Kubernetes or Spark cannot give."""

from __future__ import annotations

import re

from console.advice.model import Advice
from console.advice.rule import AdviceAnswer, AppRule
from console.advice.view import View

RESOURCES = (
    "https://spark.apache.org/docs/latest/running-on-kubernetes.html#resource-allocation-and-configuration-overview"
)
CUSTOM = "https://spark.apache.org/docs/latest/configuration.html#custom-resource-scheduling-and-configuration-overview"
_AMOUNT = re.compile(r"spark\.(driver|executor)\.resource\.([^.]+)\.amount$")
_ACCELERATORS = ("gpu", "fpga", "npu", "xpu")


def resources(view: View) -> AdviceAnswer:
    """Vendor and discovery script of every resource that is asked for."""
    for key in sorted(view.conf):
        found = _AMOUNT.match(key)
        if found is None or view.amount(key) in (None, 0):
            continue
        role, name = found.groups()
        vendor, script = (f"spark.{role}.resource.{name}.{part}" for part in ("vendor", "discoveryScript"))
        if vendor not in view.conf and view.app.launcher not in ("standalone", "unknown"):
            yield view.advise(
                "gpu-vendor",
                "configuration",
                "high",
                f"{role}s ask for {name} without a vendor",
                because=f"on Kubernetes the resource is named vendor/{name}; without the vendor Spark refuses",
                do=f"set {vendor}=nvidia.com (or amd.com, intel.com: as the device plugin names it)",
                holds_for="Spark 3.0 and later on Kubernetes",
                source=RESOURCES,
                about=vendor,
                keys=(key,),
            )
        if script not in view.conf and "spark.resources.discoveryPlugin" not in view.conf and view.whole:
            yield view.advise(
                "gpu-discovery",
                "configuration",
                "high",
                f"{role}s ask for {name} and nothing tells them which they got",
                because="each process finds its addresses by a script or a plugin; without one it fails when it starts",
                do=f"set {script} to a script in the image, such as getGpusResources.sh of Spark's examples",
                holds_for="Spark 3.0 and later on Kubernetes",
                source=CUSTOM,
                about=script,
                keys=(key,),
            )


def amounts(view: View) -> AdviceAnswer:
    """What tasks ask for against what an executor has."""
    for name in _ACCELERATORS:
        task, executor = f"spark.task.resource.{name}.amount", f"spark.executor.resource.{name}.amount"
        each, has = view.amount(task), view.amount(executor)
        if each is None and has is None:
            continue
        if has in (None, 0) and each:
            yield _amount(view, name, task, f"tasks ask for {name}, executors have none", f"set {executor}", "high")
        elif has and not each:
            if view.whole:
                words = f"executors hold {has:g} {name}, tasks ask for none"
                yield _amount(view, name, executor, words, f"set {task}, for example to 1 or 0.25", "medium")
        elif has and each and each > has:
            words = f"a task asks for {each:g} {name}, an executor has {has:g}"
            yield _amount(view, name, task, words, f"set {task} to {has:g} or less", "high")
        elif has and each and each > 1 and each != int(each):
            words = f"{task} is {each:g}: above 1 it must be a whole number"
            yield _amount(view, name, task, words, "write a whole number, or a share below 1", "high")
        elif has and each:
            yield from _balance(view, name, task, executor, has, each)


def _balance(view: View, name: str, task: str, executor: str, has: float, each: float) -> AdviceAnswer:
    """Tasks at once by GPU against tasks at once by cores: the fewer decide."""
    by_resource = has * int(1 / each) if each <= 1 else has // each
    cores = view.amount("spark.executor.cores")
    if cores is None:
        return
    by_cores = cores // (view.amount("spark.task.cpus") or 1)
    if by_cores >= 2 * by_resource:
        yield view.advise(
            "gpu-task-amount",
            "configuration",
            "medium",
            f"{name} lets {by_resource:g} tasks run at once in an executor, its cores would let {by_cores:g}",
            because=f"{by_cores - by_resource:g} cores of every executor stay idle",
            do=f"lower {task} to {has / by_cores:.3g} so that tasks share it, or ask for fewer cores",
            holds_for="Spark 3.0 and later",
            source=CUSTOM,
            about=task,
            keys=(task, executor, "spark.executor.cores"),
        )


def _amount(view: View, name: str, about: str, words: str, do: str, priority: str) -> Advice:
    fatal = priority == "high"
    return view.advise(
        "gpu-task-amount",
        "configuration",
        "high" if fatal else "medium",
        words,
        because="Spark refuses to start" if fatal else "no task is told which it may use, and they are paid for",
        do=do,
        holds_for="Spark 3.0 and later",
        source=CUSTOM,
        about=about,
        keys=(f"spark.task.resource.{name}.amount", f"spark.executor.resource.{name}.amount"),
    )


RULES = [
    AppRule("gpu-resources", "configuration", resources),
    AppRule("gpu-amounts", "configuration", amounts),
]
