-- SPDX-License-Identifier: Apache-2.0
-- Since when two nodes are known to be one customer (0: from the beginning): what was decided before counts by the
-- strictest, what was decided after by the newest (docs/identity.md).
ALTER TABLE merges ADD COLUMN joined_ms INTEGER NOT NULL DEFAULT 0;
UPDATE merges SET joined_ms = at_ms WHERE cause <> 'import';
