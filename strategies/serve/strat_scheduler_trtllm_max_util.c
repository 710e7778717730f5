/*
 * TensorRT-LLM with MAX_UTILIZATION (MaxUtilizationScheduler in
 * cpp/tensorrt_llm/batch_manager/capacityScheduler.cpp, commit 02a10fe): only the next iteration
 * has to fit. A decode wants the blocks of its next token, a waiting request those of its prompt.
 * When one that runs does not get them the last that has started is paused, which may be itself:
 * its blocks are freed, it goes back to its place in the queue, before those that came later, and
 * its prompt is computed again with what it has said. Then nobody is let in. Who of them runs:
 * strat_trtllm.c.
 */
#include "strat_decide.h"
#include "strat_trtllm.h"

static int64_t prompt(const StratLane *lane, const StratSequence *waiting)
{
    (void)lane;
    return strat_sequence_prompt(waiting);
}

StratDecision strat_scheduler_trtllm_max_util(StratLane *lane)
{
    bool paused = strat_decide_decodes(lane, false);
    int64_t wait = paused ? 0 : strat_trtllm_wait(lane, prompt);
    bool blocked = wait == 0 && strat_trtllm_prompts(lane, !paused, prompt);
    return strat_trtllm_after(lane, paused, blocked, wait);
}
