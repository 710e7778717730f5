/** What jobs of a queue do to each other where they meet on the way between leaves. */
#ifndef STRAT_QUEUE_MEET_H
#define STRAT_QUEUE_MEET_H

#include "strat_jobs.h"
#include "strat_queue.h"

/** What the jobs of a class run; borrowed. */
typedef struct StratQueueWork {
    const char *name;
    const StratCosting *costing; /* its gpu_of_rank is not read; NULL: not known */
    int64_t nodes;
} StratQueueWork;

/** Simulates each pair of the @count classes of @works side by side on @nodes nodes, @per_leaf
 *  under a leaf. @beside receives count x count numbers: by how much (over 1) a step of the row's
 *  takes longer; below 0 where one of the two is not known. False and @error when a step cannot be
 *  simulated. */
bool strat_queue_meet(const StratQueueWork *works, size_t count, int64_t nodes, int64_t per_leaf,
                      bool fold, double *beside, GError **error);

#endif
