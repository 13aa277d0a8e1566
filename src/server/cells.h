/* SPDX-License-Identifier: Apache-2.0 */
/* cells: counts of few people are not shown to who has no right to small cells. Private to server/.
 *
 * With `access.small_cells` N (a setting, 5; 0 or 1: off) and without `small_cell.see`, each count of customers in the answers of
 * CELL_OPERATIONS is rounded down to a multiple of N: below N it is 0. All of them are, not the small ones alone, so that a
 * small one is not told by the difference of two large ones, nor by a whole and the rest of its parts. Customers that stand as
 * examples are left out; lines of a profile of fewer than N people, or of all but fewer than N, too.
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
                    X(getWhatif) X(compareWhatif) X(getCalendar)

/* After the handler: what its answer counts, for who asks. Workers. */
err cells_cut(struct request *request, struct problem *problem) MUST_USE;
/* The same of a text, for tests: `step` is N. */
void cells_write(json_value answer, int64_t step, struct buffer *out);

#endif
