"""
Artifactory's REST API as functions: ``build_…`` makes a request, ``read_…`` makes a value of an answer, or raises.

Nothing here waits or opens anything. Links inside answers (``uri``, ``downloadUri``) are not percent-encoded and
may name a host behind a proxy, so they are never followed: every URL is rebuilt from the address asked for.

See: JFrog, "Artifactory REST API".
"""

from .aql_messages import (
    build_aql,
    check_count,
    is_folder_row,
    merge_rows,
    read_aql,
    read_row_item,
    read_row_path,
    read_trimming,
    trimmed_error,
)
from .bodies import is_html
from .deploy_messages import build_checksum_deploy, build_deploy, read_deployed, read_folder_made, stored_elsewhere
from .download_messages import (
    ExpectedContent,
    build_archive_member,
    build_download,
    build_folder_archive,
    build_range,
    is_folder_redirect,
    read_expected_content,
    read_file_headers,
    unsatisfied_size,
    with_condition,
)
from .error_responses import (
    OTHER_HOST_HINT,
    PROXY_LOGIN_HINT,
    errors_inside,
    is_starting,
    not_sent,
    raise_for_status,
    read_error,
    server_words,
    too_large,
)
from .item_messages import (
    build_item_info,
    expect_file,
    expect_file_info,
    expect_folder,
    not_a_file,
    not_a_folder,
    read_folder_names,
    read_item_info,
)
from .json_values import missing_list, name_of, not_artifactory, objects_of, refuse_page, reported_errors
from .listing_messages import Below, build_file_list, read_child, read_listed, read_listed_item
from .maven_metadata import build_maven_metadata, read_maven_metadata
from .mutation_messages import (
    Verb,
    build_delete,
    build_folder,
    build_relocation,
    check_relocation,
    check_scope,
    destination_of,
    read_relocation,
)
from .permanent import permanent_refusal
from .property_messages import (
    build_delete_properties,
    build_merge_properties,
    build_properties,
    build_set_properties,
    read_properties,
)
from .property_text import matrix_parameters, property_list, property_names, property_values
from .request import IDENTITY, Request, Upload
from .search_messages import build_latest_version, build_search, read_found, read_latest_version
from .server_messages import (
    build_ping,
    build_repositories,
    build_rest,
    build_version,
    read_ping,
    read_repositories,
    read_version,
)

__all__ = [
    "IDENTITY",
    "OTHER_HOST_HINT",
    "PROXY_LOGIN_HINT",
    "Below",
    "ExpectedContent",
    "Request",
    "Upload",
    "Verb",
    "build_aql",
    "build_archive_member",
    "build_checksum_deploy",
    "build_delete",
    "build_delete_properties",
    "build_deploy",
    "build_download",
    "build_file_list",
    "build_folder",
    "build_folder_archive",
    "build_item_info",
    "build_latest_version",
    "build_maven_metadata",
    "build_merge_properties",
    "build_ping",
    "build_properties",
    "build_range",
    "build_relocation",
    "build_repositories",
    "build_rest",
    "build_search",
    "build_set_properties",
    "build_version",
    "check_count",
    "check_relocation",
    "check_scope",
    "destination_of",
    "errors_inside",
    "expect_file",
    "expect_file_info",
    "expect_folder",
    "is_folder_redirect",
    "is_folder_row",
    "is_html",
    "is_starting",
    "matrix_parameters",
    "merge_rows",
    "missing_list",
    "name_of",
    "not_a_file",
    "not_a_folder",
    "not_artifactory",
    "not_sent",
    "objects_of",
    "permanent_refusal",
    "property_list",
    "property_names",
    "property_values",
    "raise_for_status",
    "read_aql",
    "read_child",
    "read_deployed",
    "read_error",
    "read_expected_content",
    "read_file_headers",
    "read_folder_made",
    "read_folder_names",
    "read_found",
    "read_item_info",
    "read_latest_version",
    "read_listed",
    "read_listed_item",
    "read_maven_metadata",
    "read_ping",
    "read_properties",
    "read_relocation",
    "read_repositories",
    "read_row_item",
    "read_row_path",
    "read_trimming",
    "read_version",
    "refuse_page",
    "reported_errors",
    "server_words",
    "stored_elsewhere",
    "too_large",
    "trimmed_error",
    "unsatisfied_size",
    "with_condition",
]
