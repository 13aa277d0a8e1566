-- SPDX-License-Identifier: Apache-2.0
-- The ledger as it began. Columns, their order and the keys are those of store/tables.h; the ledger
-- compares the two when it opens.
--
-- Words that are not the same in both databases stand in their SQLite form: the PostgreSQL driver
-- reads INTEGER as BIGINT, BLOB as BYTEA, and drops WITHOUT ROWID (a table stored in its key).

CREATE TABLE meta (
    key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (key)) WITHOUT ROWID;
CREATE TABLE settings (
    key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (key)) WITHOUT ROWID;

-- access
CREATE TABLE sources (
    number INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    protocol TEXT NOT NULL, write_key_hash BLOB NOT NULL, write_key TEXT, strict INTEGER NOT NULL,
    settings TEXT NOT NULL, created_ms INTEGER NOT NULL, disabled_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE INDEX sources_key ON sources (key);
CREATE TABLE users (
    number INTEGER NOT NULL, login TEXT NOT NULL, name TEXT NOT NULL, password TEXT NOT NULL,
    role TEXT NOT NULL, locale TEXT NOT NULL, settings TEXT NOT NULL, created_ms INTEGER NOT NULL,
    disabled_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE INDEX users_login ON users (login);
CREATE TABLE tokens (
    hash BLOB NOT NULL, user_number INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
    PRIMARY KEY (hash)) WITHOUT ROWID;
CREATE INDEX tokens_user_number ON tokens (user_number);
CREATE TABLE audit (
    seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, user_number INTEGER NOT NULL,
    action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL, chain BLOB NOT NULL,
    PRIMARY KEY (seq));
CREATE TABLE idempotency (
    key BLOB NOT NULL, request_hash BLOB NOT NULL, status INTEGER NOT NULL, response TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (key));
CREATE INDEX idempotency_at_ms ON idempotency (at_ms);

-- identity
CREATE TABLE identifier_types (
    number INTEGER NOT NULL, name TEXT NOT NULL, settings TEXT NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE customers (
    number INTEGER NOT NULL, flags INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    created_seq INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE identifiers (
    "row" INTEGER NOT NULL, hash BLOB NOT NULL, type_number INTEGER NOT NULL,
    namespace TEXT NOT NULL, flags INTEGER NOT NULL, customer INTEGER NOT NULL,
    attached_ms INTEGER NOT NULL, attached_seq INTEGER NOT NULL, with_row INTEGER NOT NULL,
    cause TEXT NOT NULL, value BLOB NOT NULL, tail_hash BLOB NOT NULL,
    source_number INTEGER NOT NULL, first_seen_ms INTEGER NOT NULL,
    PRIMARY KEY ("row"));
CREATE INDEX identifiers_customer ON identifiers (customer);
CREATE INDEX identifiers_tail_hash ON identifiers (tail_hash);
CREATE TABLE identifier_homes (
    "row" INTEGER NOT NULL, flags INTEGER NOT NULL, customer INTEGER NOT NULL,
    attached_ms INTEGER NOT NULL,
    PRIMARY KEY ("row"));
CREATE INDEX identifier_homes_customer ON identifier_homes (customer);
CREATE TABLE identifier_hashes (
    hash BLOB NOT NULL, "row" INTEGER NOT NULL, value BLOB, tail_hash BLOB,
    PRIMARY KEY (hash)) WITHOUT ROWID;
CREATE INDEX identifier_hashes_row ON identifier_hashes ("row");
CREATE TABLE links (
    id INTEGER NOT NULL, "row" INTEGER NOT NULL, with_row INTEGER NOT NULL,
    customer INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    source_number INTEGER NOT NULL, cause TEXT NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX links_row ON links ("row");
CREATE INDEX links_customer ON links (customer);
CREATE TABLE merges (
    id INTEGER NOT NULL, survivor INTEGER NOT NULL, absorbed INTEGER NOT NULL,
    node INTEGER NOT NULL, other INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    source_number INTEGER NOT NULL, "row" INTEGER NOT NULL, with_row INTEGER NOT NULL,
    cause TEXT NOT NULL, undone_ms INTEGER NOT NULL, undone_seq INTEGER NOT NULL, undone_by INTEGER NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX merges_survivor ON merges (survivor);
CREATE INDEX merges_absorbed ON merges (absorbed);
CREATE TABLE evidence (
    id INTEGER NOT NULL, "row" INTEGER NOT NULL, with_row INTEGER NOT NULL, node INTEGER NOT NULL,
    other INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    source_number INTEGER NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE separations (
    customer INTEGER NOT NULL, other INTEGER NOT NULL, merge_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (customer, other)) WITHOUT ROWID;
CREATE TABLE refusals (
    id INTEGER NOT NULL, at_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
    source_number INTEGER NOT NULL, reason TEXT NOT NULL, "row" INTEGER NOT NULL,
    with_row INTEGER NOT NULL, customer INTEGER NOT NULL, other INTEGER NOT NULL,
    times INTEGER NOT NULL, detail TEXT NOT NULL, status TEXT NOT NULL, decided_by INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX refusals_status ON refusals (status);
CREATE INDEX refusals_customer ON refusals (customer);

-- profile
CREATE TABLE trait_types (
    number INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, settings TEXT NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE traits (
    customer INTEGER NOT NULL, facts BLOB NOT NULL,
    PRIMARY KEY (customer));
CREATE TABLE consents (
    customer INTEGER NOT NULL, purpose TEXT NOT NULL, state TEXT NOT NULL, at_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL, source_number INTEGER NOT NULL, evidence TEXT NOT NULL,
    PRIMARY KEY (customer, purpose)) WITHOUT ROWID;
CREATE TABLE objects (
    kind TEXT NOT NULL, id TEXT NOT NULL, props TEXT NOT NULL, updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, id));

-- tracking plan
CREATE TABLE plan_events (
    number INTEGER NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, settings TEXT NOT NULL,
    first_seen_ms INTEGER NOT NULL, source_number INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE plan_properties (
    event_number INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, settings TEXT NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    PRIMARY KEY (event_number, name)) WITHOUT ROWID;
CREATE TABLE quarantine (
    id INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    source_number INTEGER NOT NULL, event_type TEXT NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, record BLOB NOT NULL, status TEXT NOT NULL, decided_seq INTEGER NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX quarantine_status ON quarantine (status);

-- running
CREATE TABLE outcomes (
    first_seq INTEGER NOT NULL, count INTEGER NOT NULL, outcomes BLOB NOT NULL,
    PRIMARY KEY (first_seq));
CREATE TABLE batches (
    number INTEGER NOT NULL, shard INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, "rows" INTEGER NOT NULL, done_ms INTEGER NOT NULL,
    PRIMARY KEY (number, shard)) WITHOUT ROWID;
