-- SPDX-License-Identifier: Apache-2.0
-- Who is looked for by the last four digits of a phone is found part by part, newest rows first (ledger_find_parts). In an index over
-- all rows each new phone was put at one of ten thousand places, a page each; here new rows share the pages of their part.
-- 131072 is LEDGER_PART_KEYS.
DROP INDEX identifiers_tail_hash;
CREATE INDEX identifiers_tail_parts ON identifiers (("row" / 131072), tail_hash) WHERE length(tail_hash) > 0;
