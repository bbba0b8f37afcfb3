"""What Spark makes of an archive: `spark_child.py JARS ARCHIVE VERSION FIRST`; needs PySpark.

Prints one JSON document with what it read, of the present table and of VERSION, then appends three events
with numbers from FIRST on and compacts the table.
"""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as f


def session(jars):
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", ",".join(str(path) for path in sorted(Path(jars).glob("*.jar"))))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.memory", "1g")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )


def told(table):
    """Return what a table holds, for comparing."""
    return {
        "types": dict(table.dtypes),
        "count": table.count(),
        "users": table.select("user_id").distinct().count(),
        "values": table.agg(f.sum("value")).first()[0],
        "phones": table.where(f.get_json_object("context", "$.device") == "phone").count(),
        "per_day": {str(row["day"]): row["count"] for row in table.groupBy("day").count().collect()},
        "wrong_days": table.where(f.to_date("timestamp") != f.col("day")).count(),
        "ids": [row["event_id"] for row in table.orderBy("seq").select("event_id").collect()],
    }


def main(jars, archive, version, first):
    spark = session(jars)
    present = spark.read.format("delta").load(archive)
    past = spark.read.format("delta").option("versionAsOf", version).load(archive)
    print(json.dumps({"present": told(present), "past": told(past)}))  # noqa: T201 # the parent reads it
    moment = datetime(2023, 11, 15, 12, tzinfo=UTC)
    rows = [
        (
            int(first) + n,
            f"spark-{n}",
            "u-spark",
            "i",
            "click",
            moment,
            None,
            None,
            None,
            None,
            date(2023, 11, 15),
        )
        for n in range(3)
    ]
    spark.createDataFrame(rows, present.schema).write.format("delta").mode("append").save(archive)
    spark.sql(f"OPTIMIZE delta.`{archive}`")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
