/*
 * TensorRT-LLM with GUARANTEED_NO_EVICT, its default (GuaranteedNoEvictScheduler in
 * cpp/tensorrt_llm/batch_manager/capacityScheduler.cpp, commit 02a10fe): a request is let in only
 * when blocks for its prompt and all the outputs it may have are free,
 *
 *     ceil((prompt + max_new_tokens) / block) - those of a cached prefix
 *
 * beyond what the running ones may still need, so nobody is ever stopped. max_new_tokens is the
 * request's output. Who of them runs: strat_trtllm.c.
 */
#include "strat_decide.h"
#include "strat_trtllm.h"

StratDecision strat_scheduler_trtllm_no_evict(StratLane *lane)
{
    bool preempted = strat_decide_decodes(lane, false);
    g_assert(!preempted);
    int64_t wait = strat_trtllm_wait(lane, strat_decide_whole);
    bool blocked = wait == 0 && strat_trtllm_prompts(lane, true, strat_decide_whole);
    return strat_trtllm_after(lane, false, blocked, wait);
}
