-- SPDX-License-Identifier: Apache-2.0
-- Retention: each run of it, what it took by which rules, and how far it is. docs/privacy.md.

CREATE TABLE retention_runs (
    number INTEGER NOT NULL, at_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
    user_number INTEGER NOT NULL, state TEXT NOT NULL, rules TEXT NOT NULL,
    cut_seq INTEGER NOT NULL, place INTEGER NOT NULL, counts TEXT NOT NULL,
    finished_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
