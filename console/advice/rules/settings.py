"""Settings that cost time: adaptive execution, serializer, compression, the number of shuffle partitions."""

from __future__ import annotations

from console.advice.rule import AdviceAnswer, AppRule
from console.advice.view import View

SQL = "https://spark.apache.org/docs/latest/sql-performance-tuning.html"
CONF = "https://spark.apache.org/docs/latest/configuration.html"
TUNING = "https://spark.apache.org/docs/latest/tuning.html#data-serialization"
KRYO = "org.apache.spark.serializer.KryoSerializer"


def adaptive(view: View) -> AdviceAnswer:
    """Adaptive query execution switched off (it is on by default since 3.2)."""
    key = "spark.sql.adaptive.enabled"
    if view.flag(key) is False:
        yield view.advise(
            "aqe-off",
            "configuration",
            "medium",
            "adaptive query execution is switched off",
            because="partitions are not merged, skewed joins not split and joins not changed by what stages really "
            "produced",
            do=f"remove {key}; it is on by default",
            holds_for="Spark 3.2 and later",
            source=f"{SQL}#adaptive-query-execution",
            about=key,
            keys=(key,),
        )
    elif view.version is not None and view.version < (3, 2) and view.flag(key) is None:
        yield view.advise(
            "aqe-off",
            "configuration",
            "medium",
            "adaptive query execution is off by default in this version",
            because=f"{view.version_words} has it, but only since 3.2 it is on by default",
            do=f"set {key}=true",
            holds_for="Spark 3.0 and 3.1",
            source=f"{SQL}#adaptive-query-execution",
            about=key,
        )
    part = "spark.sql.adaptive.coalescePartitions.enabled"
    if view.flag(part) is False and view.flag(key) is not False:
        yield view.advise(
            "aqe-off",
            "configuration",
            "low",
            "adaptive execution may not merge small shuffle partitions",
            because="every shuffle keeps spark.sql.shuffle.partitions tasks, however little data there is",
            do=f"remove {part}; it is on by default",
            holds_for="Spark 3.0 and later",
            source=f"{SQL}#coalescing-post-shuffle-partitions",
            about=part,
            keys=(part,),
        )


def serializer(view: View) -> AdviceAnswer:
    """Java serialization in JVM applications; Python objects are pickled whatever is set."""
    key = "spark.serializer"
    said = view.conf.get(key, "")
    if view.app.language not in ("Scala", "Java") or (said and not said.endswith(".JavaSerializer")):
        return
    if not said and not view.whole:
        return
    yield view.advise(
        "java-serializer",
        "configuration",
        "low",
        "RDDs are serialized by Java's own serializer" + ("" if said else ", Spark's default"),
        because="Kryo is faster and smaller for shuffles and cached RDDs; DataFrames have encoders of their own and "
        "do not notice",
        do=f"set {key}={KRYO} if the application uses RDDs",
        holds_for="Spark 1.0 and later",
        source=TUNING,
        about=key,
        keys=(key,),
    )


def compression(view: View) -> AdviceAnswer:
    """Compression of shuffle and spill switched off."""
    for key, what in (("spark.shuffle.compress", "shuffle files"), ("spark.shuffle.spill.compress", "spilled data")):
        if view.flag(key) is False:
            yield view.advise(
                "compression-off",
                "configuration",
                "medium",
                f"{what} are not compressed",
                because="more bytes go to local disks and over the network than need to; lz4 costs little CPU",
                do=f"remove {key}; it is on by default",
                holds_for="Spark 1.0 and later",
                source=f"{CONF}#shuffle-behavior",
                about=key,
                keys=(key,),
            )
    key = "spark.eventLog.compress"
    if view.flag("spark.eventLog.enabled") and view.flag(key) is False:
        yield view.advise(
            "compression-off",
            "configuration",
            "low",
            "event logs are not compressed",
            because="event logs of long applications grow to gigabytes; the History Server reads compressed ones",
            do=f"set {key}=true",
            holds_for="Spark 1.0 and later",
            source=f"{CONF}#spark-ui",
            about=key,
            keys=(key,),
        )


def partitions(view: View) -> AdviceAnswer:
    """Fewer shuffle partitions than tasks that could run; a fixed default where nothing adapts it."""
    key = "spark.sql.shuffle.partitions"
    wanted, slots = view.amount(key), view.slots
    if wanted is not None and slots is not None and wanted < slots:
        yield view.advise(
            "few-shuffle-partitions",
            "configuration",
            "medium",
            f"{wanted:.0f} shuffle partitions for {slots:.0f} task slots",
            because=f"{slots - wanted:.0f} slots have nothing to do in every stage after a shuffle; adaptive execution "
            "merges partitions but does not add any",
            do=f"set {key} to at least {2 * slots:.0f} and let adaptive execution merge",
            holds_for="every Spark version",
            source=f"{SQL}#other-configuration-options",
            about=key,
            keys=(key, "spark.executor.instances", "spark.executor.cores"),
        )
    elif view.flag("spark.sql.adaptive.enabled") is False and (wanted is None and view.whole):
        yield view.advise(
            "fixed-shuffle-partitions",
            "configuration",
            "low",
            "every shuffle has the default of 200 partitions, whatever its size",
            because="with adaptive execution off nothing fits the number to the data",
            do=f"switch adaptive execution on, or set {key} by the data",
            holds_for="every Spark version",
            source=f"{SQL}#other-configuration-options",
            about=key,
            keys=("spark.sql.adaptive.enabled",),
        )


RULES = [
    AppRule("aqe-off", "configuration", adaptive),
    AppRule("java-serializer", "configuration", serializer),
    AppRule("compression-off", "configuration", compression),
    AppRule("shuffle-partitions", "configuration", partitions),
]
