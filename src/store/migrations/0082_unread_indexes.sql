-- SPDX-License-Identifier: Apache-2.0
-- Indexes that nothing asks any more: who has which identifiers is answered from memory. Each row paid for them with a
-- page at a random place.
DROP INDEX identifiers_customer;
DROP INDEX identifier_homes_customer;
DROP INDEX links_customer;
