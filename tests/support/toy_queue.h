/** Small queues, for tests to change. */
#ifndef TOY_QUEUE_H
#define TOY_QUEUE_H

#include "strat_queue.h"

/** @nodes nodes under leaves of 4, @policy, packed, one replication of seed 1 and @duration_s;
 *  nobody arrives, nothing fails, 100 requeues, jobs behind the front are all looked at. */
StratQueue toy_queue(int64_t nodes, const char *policy, double duration_s);

/** Runs @queue. The rows of replication 0 by number, StratQueueJobRow; @result (may be NULL) is
 *  free'd by the caller, as is the array. */
GArray *toy_queue_rows(const StratQueue *queue, StratQueueResult **result);

#endif
