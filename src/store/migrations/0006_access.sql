-- SPDX-License-Identifier: Apache-2.0
-- Roles of the workspace's own, tokens that may do less than their user, and from where a change came.

CREATE TABLE roles (
    key TEXT NOT NULL, name TEXT NOT NULL, permissions TEXT NOT NULL, created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (key));
ALTER TABLE tokens ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_by_user ON audit (user_number, seq);
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE INDEX audit_by_object ON audit (object, seq);
