/** The part of TensorRT-LLM's scheduling that its policies share: prompts beside the decodes. */
#ifndef STRAT_TRTLLM_H
#define STRAT_TRTLLM_H

#include "strat_scheduler.h"

/** Tokens for which a waiting request wants blocks that stay its own while it runs. */
typedef int64_t (*StratReserve)(const StratLane *lane, const StratSequence *waiting);

/** After the decodes have been let run: goes on with prompts under way, then (@admits) lets waiting
 *  ones in, in order, each with the blocks that @reserve says. True when one stands in the way of
 *  those behind it. */
bool strat_trtllm_prompts(StratLane *lane, bool admits, StratReserve reserve);

/** How many iterations of decodes prompts have still to wait to come in together, after the decodes
 *  have been let run; 0: they may come. */
int64_t strat_trtllm_wait(StratLane *lane, StratReserve reserve);

/** What a policy says after its prompts, or where they @wait. */
StratDecision strat_trtllm_after(StratLane *lane, bool paused, bool blocked, int64_t wait);

#endif
