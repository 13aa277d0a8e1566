-- SPDX-License-Identifier: Apache-2.0
-- Imports: jobs and where they stand, saved mappings, watermarks, events that were taken back, kinds of
-- objects, and what objects were before an import changed them.

CREATE TABLE imports (
    number INTEGER NOT NULL, identity BLOB NOT NULL, settings TEXT NOT NULL,
    user_number INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE import_states (
    number INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, position INTEGER NOT NULL,
    report_bytes INTEGER NOT NULL, undo_place INTEGER NOT NULL, cut_seq INTEGER NOT NULL,
    first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE mappings (
    key TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, user_number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (key, version)) WITHOUT ROWID;
CREATE TABLE watermarks (
    source TEXT NOT NULL, time_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (source)) WITHOUT ROWID;
CREATE TABLE retractions (
    seq INTEGER NOT NULL, node INTEGER NOT NULL, at_seq INTEGER NOT NULL,
    PRIMARY KEY (seq));
CREATE TABLE gone_customers (
    number INTEGER NOT NULL, at_seq INTEGER NOT NULL,
    PRIMARY KEY (number));
ALTER TABLE objects ADD COLUMN source_number INTEGER NOT NULL DEFAULT 0;
CREATE TABLE object_kinds (
    kind TEXT NOT NULL, settings TEXT NOT NULL, changed_ms INTEGER NOT NULL,
    PRIMARY KEY (kind)) WITHOUT ROWID;
CREATE TABLE objects_before (
    source_number INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, props TEXT,
    updated_ms INTEGER NOT NULL, deleted_ms INTEGER NOT NULL,
    PRIMARY KEY (source_number, kind, id)) WITHOUT ROWID;
