-- SPDX-License-Identifier: Apache-2.0
-- What those outside still have to be told (src/engine/news.h), and up to where each has been.
CREATE TABLE news (
    number INTEGER NOT NULL PRIMARY KEY, count INTEGER NOT NULL, first_event_seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, entries BLOB NOT NULL);
CREATE TABLE sink_places (
    sink TEXT NOT NULL PRIMARY KEY, next INTEGER NOT NULL, lost INTEGER NOT NULL,
    at_ms INTEGER NOT NULL) WITHOUT ROWID;
