"""
Download a folder with the executors of a Spark cluster.

    python with_spark.py FOLDER_URL DESTINATION [MASTER]

Without a master, two processes of this machine are the cluster.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from fetch_part import Part, Result, fetch_part, list_parts, summary
from pyspark.sql import SparkSession

HERE = Path(__file__).parent


def main(url: str, destination: str, master: str = "local[2]") -> None:
    def fetch(parts: Iterator[Part]) -> Iterator[Result]:
        return (fetch_part(part, destination) for part in parts)

    spark = (
        SparkSession.builder.master(master)
        .appName("fetch")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    try:
        context = spark.sparkContext
        context.addPyFile(str(HERE / "fetch_part.py"))
        parts = list_parts(url, context.defaultParallelism)
        print(
            summary(
                context.parallelize(parts, len(parts)).mapPartitions(fetch).collect()
            )
        )
    finally:
        spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
