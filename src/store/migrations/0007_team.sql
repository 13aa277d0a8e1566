-- SPDX-License-Identifier: Apache-2.0
-- Teams as a tree, and what they share with each other. What stands in `settings`: docs/teams.md.

CREATE TABLE teams (
    key TEXT NOT NULL, name TEXT NOT NULL, parent TEXT NOT NULL, settings TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (key)) WITHOUT ROWID;
CREATE TABLE team_shares (
    kind TEXT NOT NULL, key TEXT NOT NULL, team TEXT NOT NULL, level TEXT NOT NULL,
    PRIMARY KEY (kind, key, team)) WITHOUT ROWID;
