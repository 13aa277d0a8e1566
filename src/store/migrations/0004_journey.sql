-- SPDX-License-Identifier: Apache-2.0
-- Journeys: definitions and versions, positions, steps, counts, waves. Layouts: docs/journeys.md.

CREATE TABLE journeys (
    number INTEGER NOT NULL, key TEXT NOT NULL, state INTEGER NOT NULL,
    live_version INTEGER NOT NULL, body TEXT NOT NULL, running TEXT NOT NULL,
    created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, user_number INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE journey_versions (
    journey INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, rules TEXT NOT NULL,
    published_ms INTEGER NOT NULL, held INTEGER NOT NULL,
    PRIMARY KEY (journey, version)) WITHOUT ROWID;
CREATE TABLE journey_positions (
    number INTEGER NOT NULL, customer INTEGER NOT NULL, node_born INTEGER NOT NULL,
    journey INTEGER NOT NULL, version INTEGER NOT NULL, node INTEGER NOT NULL,
    state INTEGER NOT NULL, visits INTEGER NOT NULL, steps INTEGER NOT NULL,
    entered_ms INTEGER NOT NULL, since_s INTEGER NOT NULL, due_ms INTEGER NOT NULL,
    context BLOB NOT NULL, reason TEXT NOT NULL, closed_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE INDEX journey_positions_customer ON journey_positions (customer);
CREATE TABLE journey_steps (
    position INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL, steps BLOB NOT NULL,
    PRIMARY KEY (position, number)) WITHOUT ROWID;
CREATE TABLE journey_counts (
    journey INTEGER NOT NULL, version INTEGER NOT NULL, node INTEGER NOT NULL,
    day INTEGER NOT NULL, counts BLOB NOT NULL,
    PRIMARY KEY (journey, version, node, day)) WITHOUT ROWID;
CREATE TABLE journey_waves (
    number INTEGER NOT NULL, journey INTEGER NOT NULL, started_ms INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE journey_wave_states (
    number INTEGER NOT NULL, cursor INTEGER NOT NULL, not_before_ms INTEGER NOT NULL,
    entered INTEGER NOT NULL, refused INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE journey_pending (
    number INTEGER NOT NULL, customer INTEGER NOT NULL, kind INTEGER NOT NULL, key TEXT NOT NULL,
    moved INTEGER NOT NULL, cause TEXT NOT NULL,
    PRIMARY KEY (number));
