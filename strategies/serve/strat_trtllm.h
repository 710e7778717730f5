/** TensorRT-LLM's second step: which of the requests with capacity run in the next iteration. */
#ifndef STRAT_TRTLLM_H
#define STRAT_TRTLLM_H

#include "strat_scheduler.h"

/** The iteration that is being put together. */
typedef struct StratMicroBatch {
    StratLane *lane;
    int64_t tokens;   /* that are still free */
    int64_t requests; /* places that are still free */
    bool over;        /* a request did not fit */
    GHashTable *next_pages; /* pages that prompts in this iteration add to the cache */
} StratMicroBatch;

/** After the decodes have been let run: counts them and goes on with prompts under way, in order.
 *  Free with strat_micro_batch_clear(). */
void strat_micro_batch_init(StratMicroBatch *batch, StratLane *lane);
void strat_micro_batch_clear(StratMicroBatch *batch);

/** Whether @waiting had better wait for a page that another prompt of this iteration computes. When
 *  not, it is noted as the one that computes its own next page. */
bool strat_micro_batch_shares(StratMicroBatch *batch, const StratSequence *waiting);

/** Tokens of the prompt of @waiting to run in this iteration; 0: none, it does not fit. The budget
 *  is spent. */
int64_t strat_micro_batch_add(StratMicroBatch *batch, const StratSequence *waiting);

/** Admits the head of the queue, then those behind it, with blocks for as many tokens as @reserve
 *  says of each, until blocks, places or tokens run out. True when nobody could come any more. */
bool strat_micro_batch_admit(StratMicroBatch *batch,
                             int64_t (*reserve)(const StratSequence *waiting));

#endif
