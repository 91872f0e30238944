"""
Download a folder with the workers of a Ray cluster.

    python with_ray.py FOLDER_URL DESTINATION [CLUSTER_ADDRESS]

Without an address, two processes of this machine are the cluster.
"""

import sys
from pathlib import Path

import ray
from fetch_part import fetch_part, list_parts, summary

HERE = Path(__file__).parent


def main(url: str, destination: str, address: str | None = None) -> None:
    local = {} if address else {"num_cpus": 2, "include_dashboard": False}
    ray.init(
        address=address,
        runtime_env={"working_dir": str(HERE)},
        log_to_driver=False,
        **local,
    )
    try:
        fetch = ray.remote(fetch_part)
        parts = list_parts(url, int(ray.cluster_resources()["CPU"]))
        print(summary(ray.get([fetch.remote(part, destination) for part in parts])))
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
