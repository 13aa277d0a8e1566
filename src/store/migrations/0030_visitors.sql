-- SPDX-License-Identifier: Apache-2.0
-- Visitors who left memory, and how they are found when they come back (docs/identity.md).
CREATE TABLE left_visitors (
    customer INTEGER NOT NULL, "rows" BLOB NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (customer));
CREATE TABLE left_identifiers (
    hash BLOB NOT NULL, customer INTEGER NOT NULL,
    PRIMARY KEY (hash)) WITHOUT ROWID;
