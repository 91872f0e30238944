"""What `diagnose` reports: values, and the judgements of what its probes have observed."""

from .addresses import address_candidates, is_artifactory
from .findings import Diagnosis, Finding
from .judgements import (
    judge_address,
    judge_aql,
    judge_certificate,
    judge_checksums,
    judge_clock,
    judge_connection,
    judge_credentials,
    judge_failure,
    judge_latency,
    judge_listing,
    judge_names,
    judge_proxy,
    judge_range,
    judge_repositories,
    judge_storage,
    judge_version,
)

__all__ = [
    "Diagnosis",
    "Finding",
    "address_candidates",
    "is_artifactory",
    "judge_address",
    "judge_aql",
    "judge_certificate",
    "judge_checksums",
    "judge_clock",
    "judge_connection",
    "judge_credentials",
    "judge_failure",
    "judge_latency",
    "judge_listing",
    "judge_names",
    "judge_proxy",
    "judge_range",
    "judge_repositories",
    "judge_storage",
    "judge_version",
]
