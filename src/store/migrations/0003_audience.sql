-- SPDX-License-Identifier: Apache-2.0
-- Tags and segments: what they are, who is in them, what changed. Layouts: docs/tags.md.

CREATE TABLE audience_definitions (
    number INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
    live_version INTEGER NOT NULL, body TEXT NOT NULL, edges TEXT NOT NULL,
    created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, changed_seq INTEGER NOT NULL,
    deleted_ms INTEGER NOT NULL, user_number INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE audience_texts (
    definition INTEGER NOT NULL, code INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (definition, code)) WITHOUT ROWID;
CREATE TABLE audience_given (
    definition INTEGER NOT NULL, block INTEGER NOT NULL, "values" BLOB NOT NULL, at_ms BLOB NOT NULL,
    PRIMARY KEY (definition, block)) WITHOUT ROWID;
CREATE TABLE audience_chunks (
    definition INTEGER NOT NULL, value INTEGER NOT NULL, chunk INTEGER NOT NULL,
    number INTEGER NOT NULL, members BLOB NOT NULL,
    PRIMARY KEY (definition, value, chunk)) WITHOUT ROWID;
CREATE TABLE audience_changes (
    definition INTEGER NOT NULL, number INTEGER NOT NULL, count INTEGER NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, entries BLOB NOT NULL,
    PRIMARY KEY (definition, number)) WITHOUT ROWID;
CREATE TABLE audience_states (
    definition INTEGER NOT NULL, checkpoint INTEGER NOT NULL,
    PRIMARY KEY (definition));
