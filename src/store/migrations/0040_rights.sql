-- SPDX-License-Identifier: Apache-2.0
-- Rights of the person: every decision about a consent as it was made, and what people asked for. docs/privacy.md.

CREATE TABLE consent_decisions (
    customer INTEGER NOT NULL, seq INTEGER NOT NULL, purpose TEXT NOT NULL, state TEXT NOT NULL,
    at_ms INTEGER NOT NULL, source_number INTEGER NOT NULL, user_number INTEGER NOT NULL,
    text_version TEXT NOT NULL, evidence TEXT NOT NULL,
    PRIMARY KEY (customer, seq, purpose)) WITHOUT ROWID;
CREATE TABLE person_requests (
    number INTEGER NOT NULL, customer INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    received_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, handler INTEGER NOT NULL,
    user_number INTEGER NOT NULL, note TEXT NOT NULL, result TEXT NOT NULL,
    erasure INTEGER NOT NULL, changed_ms INTEGER NOT NULL, closed_ms INTEGER NOT NULL,
    package TEXT NOT NULL,
    PRIMARY KEY (number));
CREATE INDEX person_requests_customer ON person_requests (customer, number);
CREATE INDEX person_requests_erasure ON person_requests (erasure, number);
