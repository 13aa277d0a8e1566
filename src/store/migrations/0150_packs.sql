-- SPDX-License-Identifier: Apache-2.0
-- What of history.pack counts (src/store/packs.h), and since when blocks of customers are not what it says.
CREATE TABLE packs (
    kind INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL,
    bytes INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (kind, number)) WITHOUT ROWID;
CREATE TABLE packs_spoiled (number INTEGER NOT NULL PRIMARY KEY, seq INTEGER NOT NULL);
