-- SPDX-License-Identifier: Apache-2.0
-- Privacy: tombstones of erased customers, erasures and where they stand, what erased ones had done in all. docs/privacy.md.

CREATE TABLE tombstones (
    hash BLOB NOT NULL, erasure INTEGER NOT NULL, type_number INTEGER NOT NULL,
    "row" INTEGER NOT NULL, at_ms INTEGER NOT NULL, lifted_ms INTEGER NOT NULL,
    refused INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    PRIMARY KEY (hash)) WITHOUT ROWID;
CREATE TABLE erasures (
    number INTEGER NOT NULL, customer INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL, user_number INTEGER NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL,
    nodes BLOB NOT NULL, secret BLOB NOT NULL, receipt TEXT NOT NULL, finished_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE erased_totals (
    day INTEGER NOT NULL, type TEXT NOT NULL, channel TEXT NOT NULL, currency TEXT NOT NULL,
    events INTEGER NOT NULL, revenue INTEGER NOT NULL, total INTEGER NOT NULL,
    PRIMARY KEY (day, type, channel, currency)) WITHOUT ROWID;
