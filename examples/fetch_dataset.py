"""
Download all files of the newest version of a dataset, as the first step of a CI job.

    python fetch_dataset.py SERVER data-public emodb db --spec '<2' -d data

Files that an earlier run downloaded are skipped, and not even read: a manifest records
which files were verified. The result is one line of JSON on stdout. The exit code is 0
if all files are complete, 1 if some failed, and 2 for invalid arguments.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

import aioartifact


async def fetch(
    server: str,
    repository: str,
    group_id: str,
    name: str,
    *,
    spec: str | None,
    destination: Path,
) -> str:
    """Download the newest version that meets *spec*; return the counts as JSON."""
    async with aioartifact.session(server) as session:
        # denied="raise": a refused request must not look like a missing version.
        version = await aioartifact.latest_version(
            server,
            repository,
            group_id,
            name,
            spec=spec,
            denied="raise",
            session=session,
        )
        if version is None:
            raise LookupError(f"{group_id}.{name} has no version {spec or ''}".rstrip())
        url = aioartifact.url(
            server, repository=repository, group_id=group_id, name=name, version=version
        )
        report = await aioartifact.download_folder(
            url,
            destination / version,
            manifest=destination / "manifest.db",
            session=session,
        )
    return json.dumps(
        {
            "version": version,
            "downloaded": len(report.downloaded),
            "unchanged": len(report.unchanged),
            "bytes": report.bytes_downloaded,
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Download the newest version of a dataset."
    )
    parser.add_argument(
        "server", help="such as https://artifactory.example.com/artifactory"
    )
    parser.add_argument("repository")
    parser.add_argument("group_id")
    parser.add_argument("name")
    parser.add_argument("--spec", help="condition for the version, such as '>=1.2,<2'")
    parser.add_argument("-d", "--destination", type=Path, default=Path("data"))
    try:
        print(asyncio.run(fetch(**vars(parser.parse_args()))))
    except aioartifact.InvalidArgumentError as error:
        parser.error(str(error))
    except aioartifact.BatchError as batch:  # the other files are complete
        for outcome in batch.report.failed:
            print(f"{outcome.url}: {outcome.error}", file=sys.stderr)
    except (aioartifact.ArtifactoryError, LookupError) as error:
        print(error, file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
