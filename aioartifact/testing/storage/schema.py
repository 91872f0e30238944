"""
The tables of a server's database.

All but the first four were added later, and are created when the data folder of an earlier version is opened. They
belong to items, so an earlier version that opens the folder again deletes what has lost its item.
"""

from .data_folder import APPLICATION_ID, SCHEMA_VERSION

SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY, repo TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('file', 'folder')), depth INTEGER NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, updated INTEGER NOT NULL,
    created_by TEXT, modified_by TEXT,
    actual_sha1 TEXT, actual_md5 TEXT, sha256 TEXT,
    original_sha1 TEXT, original_md5 TEXT, original_sha256 TEXT,
    UNIQUE (repo, path, name));
CREATE INDEX IF NOT EXISTS items_by_name ON items (name);
CREATE INDEX IF NOT EXISTS items_by_sha256 ON items (sha256);
CREATE INDEX IF NOT EXISTS items_by_sha1 ON items (actual_sha1);
CREATE INDEX IF NOT EXISTS items_by_md5 ON items (actual_md5);
CREATE TABLE IF NOT EXISTS properties (
    id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    key TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS properties_by_value ON properties (key, value);
CREATE INDEX IF NOT EXISTS properties_by_item ON properties (item_id);
CREATE TABLE IF NOT EXISTS stats (
    item_id INTEGER PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
    downloads INTEGER NOT NULL, downloaded INTEGER, downloaded_by TEXT);
CREATE TABLE IF NOT EXISTS repositories (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, configuration TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS builds (
    id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL UNIQUE REFERENCES items (id) ON DELETE CASCADE,
    name TEXT NOT NULL, number TEXT NOT NULL, started INTEGER NOT NULL, url TEXT,
    created INTEGER NOT NULL, created_by TEXT, modified INTEGER NOT NULL, modified_by TEXT);
CREATE INDEX IF NOT EXISTS builds_by_name ON builds (name, number, started);
CREATE TABLE IF NOT EXISTS build_properties (
    id INTEGER PRIMARY KEY, build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    key TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS build_properties_by_value ON build_properties (key, value);
CREATE INDEX IF NOT EXISTS build_properties_by_build ON build_properties (build_id);
CREATE TABLE IF NOT EXISTS build_promotions (
    id INTEGER PRIMARY KEY, build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    created INTEGER NOT NULL, created_by TEXT, status TEXT NOT NULL, repo TEXT, comment TEXT, user TEXT);
CREATE INDEX IF NOT EXISTS build_promotions_by_build ON build_promotions (build_id);
CREATE TABLE IF NOT EXISTS modules (
    id INTEGER PRIMARY KEY, build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, name TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS modules_by_build ON modules (build_id);
CREATE INDEX IF NOT EXISTS modules_by_name ON modules (name);
CREATE TABLE IF NOT EXISTS module_properties (
    id INTEGER PRIMARY KEY, module_id INTEGER NOT NULL REFERENCES modules (id) ON DELETE CASCADE,
    key TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS module_properties_by_value ON module_properties (key, value);
CREATE INDEX IF NOT EXISTS module_properties_by_module ON module_properties (module_id);
CREATE TABLE IF NOT EXISTS artifacts (
    id INTEGER PRIMARY KEY, module_id INTEGER NOT NULL REFERENCES modules (id) ON DELETE CASCADE,
    name TEXT NOT NULL, type TEXT, sha1 TEXT, md5 TEXT);
CREATE INDEX IF NOT EXISTS artifacts_by_module ON artifacts (module_id);
CREATE INDEX IF NOT EXISTS artifacts_by_sha1 ON artifacts (sha1);
CREATE TABLE IF NOT EXISTS dependencies (
    id INTEGER PRIMARY KEY, module_id INTEGER NOT NULL REFERENCES modules (id) ON DELETE CASCADE,
    name TEXT NOT NULL, scope TEXT, type TEXT, sha1 TEXT, md5 TEXT);
CREATE INDEX IF NOT EXISTS dependencies_by_module ON dependencies (module_id);
CREATE INDEX IF NOT EXISTS dependencies_by_sha1 ON dependencies (sha1);
"""
