"""
Download a folder with the workers of a Dask cluster.

    python with_dask.py FOLDER_URL DESTINATION [SCHEDULER_ADDRESS]

Without an address, two processes of this machine are the cluster.
"""

import sys
from pathlib import Path

from dask.distributed import Client, LocalCluster
from fetch_part import fetch_part, list_parts, summary

HERE = Path(__file__).parent


def main(url: str, destination: str, address: str | None = None) -> None:
    cluster = address or LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client:
        client.upload_file(str(HERE / "fetch_part.py"))
        parts = list_parts(url, len(client.scheduler_info()["workers"]))
        futures = client.map(fetch_part, parts, destination=destination, pure=False)
        print(summary(client.gather(futures)))
    if not isinstance(cluster, str):
        cluster.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
