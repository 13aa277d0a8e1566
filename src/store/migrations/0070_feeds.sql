-- SPDX-License-Identifier: Apache-2.0
-- Up to where a feed has taken the messages of each partition; told in the block of their events.
CREATE TABLE feed_places (
    feed TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (feed, topic, partition)) WITHOUT ROWID;
