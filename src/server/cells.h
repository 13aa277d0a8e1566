/* SPDX-License-Identifier: Apache-2.0 */
/* cells: counts of few people are not shown to who has no right to small cells. Private to server/.
 *
 * With `access.small_cells` N (a setting, 5; 0 or 1: off) and without `small_cell.see`, each count of customers in the answers of
 * CELL_OPERATIONS is rounded down to a multiple of N: below N it is 0. All of them are, not the small ones alone, so that a
 * small one is not told by the difference of two large ones, nor by a whole and the rest of its parts. Customers that stand as
 * examples are left out; lines of a profile of fewer than N people, or of all but fewer than N, too.
 *
 * Money (cells_money.c) that fewer than N brought is 0; that of more is a multiple of a round number (1, 2 or 5 and zeros), the
 * largest that is at most what N of them brought on average. Intervals of a goal are made of what is shown; that of the money is
 * left out where fewer than N of either side reached the goal. What a run of a what-if tells of advisers, budgets and pools of
 * coupons (cells_whatif.c) is cut with it, and its lines of fewer than N touches are left out.
 *
 * What it does not keep away: who may ask any number of rules finds the step of a rounded count by and by. docs/security.md says
 * what is done about it (rights, pace, the audit).
 */
#ifndef KITH_SERVER_CELLS_H
#define KITH_SERVER_CELLS_H

#include "server/inside.h"

/* X(operation): whose answers count customers. */
#define CELL_OPERATIONS(X)                                                                         \
    X(listSegments) X(getSegment) X(putSegment) X(getSegmentReach) X(getSegmentHistory)            \
        X(previewSegment) X(previewSegmentChange) X(overlapSegments) X(mapSegments)                \
            X(profileSegment) X(listTags) X(getTag) X(putTag) X(getTagHistory) X(previewTagChange) \
                X(getOverview) X(listJourneys) X(getJourney) X(putJourney) X(getJourneyReport)     \
                    X(getWhatif) X(compareWhatif) X(getCalendar) X(getToday) X(getLinkRate)        \
                        X(listCouponPools)

/* After the handler: what its answer counts, for who asks. Workers. */
err cells_cut(struct request *request, struct problem *problem) MUST_USE;
/* The same of a text, for tests: `step` is N. */
void cells_write(json_value answer, int64_t step, struct buffer *out);

/* What of `amount`, which so many `people` brought, is shown; both signs. */
int64_t cells_money(int64_t amount, int64_t people, int64_t step);
/* A goal of a journey's report: journey and control group beside each other. */
bool cells_is_goal(json_value value);
void cells_write_goal(json_value goal, int64_t step, struct buffer *out);

/* ---- cells_whatif.c ---- */

/* The work of advisers in a run. */
bool cells_is_advisers(json_value value);
void cells_write_advisers(json_value advisers, int64_t step, struct buffer *out);
/* What N touches of the dearest kind in a run's `money` cost; 0 for none. */
int64_t cells_money_unit(json_value money, int64_t step);
/* The multiple of `unit` below; 0 without one. */
int64_t cells_in_steps(int64_t amount, int64_t unit);
/* A budget, its money in multiples of `unit`; nothing was spent where that is 0. */
void cells_write_budget(json_value budget, int64_t unit, struct buffer *out);
bool cells_is_pool(json_value value);
void cells_write_pool(json_value pool, int64_t step, struct buffer *out);

#endif
