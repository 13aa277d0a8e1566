-- SPDX-License-Identifier: Apache-2.0
-- Touches: what goes out, by what rules, and what became of it. Layouts: docs/touches.md.

CREATE TABLE touch_lines (
    number INTEGER NOT NULL, journey TEXT NOT NULL, node TEXT NOT NULL, campaign TEXT NOT NULL,
    channel TEXT NOT NULL, account TEXT NOT NULL, form TEXT NOT NULL, template TEXT NOT NULL,
    purpose TEXT NOT NULL, brand TEXT NOT NULL, priority INTEGER NOT NULL, flags INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE touches (
    number INTEGER NOT NULL, customer INTEGER NOT NULL, line INTEGER NOT NULL,
    journey TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, context TEXT NOT NULL,
    order_id TEXT NOT NULL, content_key TEXT NOT NULL, cost_minor INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, seq INTEGER NOT NULL, not_before_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, first_status TEXT NOT NULL, first_reason TEXT NOT NULL,
    PRIMARY KEY (number));
CREATE INDEX touches_by_customer ON touches (customer, number);
CREATE INDEX touches_by_journey ON touches (journey, number);
CREATE TABLE touch_states (
    number INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, until_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL, counted_ms INTEGER NOT NULL, steps INTEGER NOT NULL,
    tries INTEGER NOT NULL, flags INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE INDEX touch_states_by_status ON touch_states (status, number);
CREATE TABLE touch_sends (
    number INTEGER NOT NULL, recipient INTEGER NOT NULL, template_version INTEGER NOT NULL,
    provider_id TEXT NOT NULL, code TEXT NOT NULL, response TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE touch_steps (
    touch INTEGER NOT NULL, step INTEGER NOT NULL, at_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
    status TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (touch, step)) WITHOUT ROWID;
CREATE TABLE touch_corrections (
    id INTEGER NOT NULL, kind TEXT NOT NULL, touch INTEGER NOT NULL, customer INTEGER NOT NULL,
    journey TEXT NOT NULL, node TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE touch_templates (
    key TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, user_number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (key, version)) WITHOUT ROWID;
CREATE TABLE touch_accounts (
    key TEXT NOT NULL, kind TEXT NOT NULL, settings TEXT NOT NULL, user_number INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL, deleted_ms INTEGER NOT NULL,
    PRIMARY KEY (key)) WITHOUT ROWID;
CREATE TABLE touch_policy (
    key TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, user_number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (key, version)) WITHOUT ROWID;
CREATE TABLE touch_stops (
    scope TEXT NOT NULL, value TEXT NOT NULL, since_ms INTEGER NOT NULL, user_number INTEGER NOT NULL,
    why TEXT NOT NULL, lifted_ms INTEGER NOT NULL, lifted_by INTEGER NOT NULL,
    PRIMARY KEY (scope, value)) WITHOUT ROWID;
CREATE TABLE touch_chances (
    customer INTEGER NOT NULL, account TEXT NOT NULL, kind INTEGER NOT NULL, what TEXT NOT NULL,
    count INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (customer, account, kind, what)) WITHOUT ROWID;
CREATE TABLE touch_spent (
    key INTEGER NOT NULL, minor INTEGER NOT NULL,
    PRIMARY KEY (key));
CREATE TABLE touch_tasks (
    touch INTEGER NOT NULL, customer INTEGER NOT NULL, account TEXT NOT NULL, content TEXT NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
    PRIMARY KEY (touch));
CREATE TABLE touch_task_states (
    touch INTEGER NOT NULL, status TEXT NOT NULL, user_number INTEGER NOT NULL, result TEXT NOT NULL,
    note TEXT NOT NULL, changed_ms INTEGER NOT NULL,
    PRIMARY KEY (touch));
CREATE INDEX touch_task_states_by_status ON touch_task_states (status, touch);
CREATE TABLE coupon_pools (
    key TEXT NOT NULL, is_generated INTEGER NOT NULL, prefix TEXT NOT NULL, limit_count INTEGER NOT NULL,
    given INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
    PRIMARY KEY (key)) WITHOUT ROWID;
CREATE TABLE coupon_codes (
    pool TEXT NOT NULL, number INTEGER NOT NULL, code TEXT NOT NULL,
    PRIMARY KEY (pool, number)) WITHOUT ROWID;
CREATE TABLE coupons_given (
    touch INTEGER NOT NULL, pool TEXT NOT NULL, code TEXT NOT NULL, customer INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (touch));
