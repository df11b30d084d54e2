"""Work that loads the classes which most PySpark applications need: a shuffle, a join, Python workers."""

from __future__ import annotations

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
rows = spark.range(1000).repartition(8).selectExpr("id", "id % 7 AS key")
rows.join(rows.groupBy("key").count(), "key").selectExpr("sum(id)").collect()
spark.sparkContext.parallelize(range(100), 4).map(lambda x: (x % 3, x)).groupByKey().count()
spark.stop()
