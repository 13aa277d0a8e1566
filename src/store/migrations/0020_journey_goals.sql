-- SPDX-License-Identifier: Apache-2.0
-- Which sources bring which events, and goals by order, so that a refund takes back what it brought.

CREATE TABLE event_sources (
    type TEXT NOT NULL, source TEXT NOT NULL, minute INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (type, source)) WITHOUT ROWID;
CREATE TABLE journey_conversions (
    number INTEGER NOT NULL, journey INTEGER NOT NULL, version INTEGER NOT NULL,
    node INTEGER NOT NULL, goal INTEGER NOT NULL, at_ms INTEGER NOT NULL, order_hash INTEGER NOT NULL,
    value INTEGER NOT NULL, refunded INTEGER NOT NULL,
    PRIMARY KEY (number));
