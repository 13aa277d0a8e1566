-- SPDX-License-Identifier: Apache-2.0
-- Pauses of marketing: whose, by what cause, from when until when (docs/touches.md). until_ms 0: until it is lifted.
CREATE TABLE touch_pauses (
    number INTEGER NOT NULL, customer INTEGER NOT NULL, journey TEXT NOT NULL, key TEXT NOT NULL,
    reason TEXT NOT NULL, user_number INTEGER NOT NULL, since_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL, lifted_ms INTEGER NOT NULL, lifted_by INTEGER NOT NULL,
    PRIMARY KEY (number));
