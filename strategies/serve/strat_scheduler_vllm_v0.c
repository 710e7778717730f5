/*
 * vLLM V0, vllm/core/scheduler.py of vLLM 0.4 (commit 0054e1f), _schedule_default(); Kwon et al.,
 * SOSP 2023. An iteration is prompts or decodes, never both:
 *
 *   1. Unless somebody is swapped out: waiting prompts, whole and in order, while their blocks are
 *      free above the watermark, the prompts together have at most max_tokens tokens and at most
 *      max_sequences run. Up to vLLM 0.2 prompts are padded to the longest (padded_prompts): then
 *      it is their number times the longest that counts.
 *   2. Only when no prompt goes: the decodes. While one finds no block the last of the running
 * goes, back to the head of the queue to be computed again or, with swap_preempted, to the host.
 *   3. When nobody had to go: those on the host come back, in order, while their blocks are free
 *      above the watermark, and decode with the others.
 *
 * A prompt longer than max_tokens goes alone: the engine refuses a limit below its longest
 * sequence.
 *
 * Left out: the delay factor (0 by default), chunked prefill on V0 (another scheduler there, akin
 * to Sarathi's), sequence groups of more than one, the limit on padding of vLLM 0.2 (max_paddings),
 * and that the engine wants a free block for each decode even when its last one has room.
 */
#include "strat_decide.h"

typedef struct Budget {
    int64_t prompts, tokens, longest;
} Budget;

static bool within(const StratReplica *replica, const Budget *budget, int64_t tokens)
{
    if (budget->prompts == 0)
        return true;
    int64_t all = budget->tokens + tokens;
    if (replica->engine->padded_prompts)
        all = (budget->prompts + 1) * MAX(budget->longest, tokens);
    return all <= replica->max_tokens;
}

/* True when a prompt starts. */
static bool admit_prompts(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    Budget budget = {0};
    for (StratSequence *at = replica->waiting.head; at && !strat_decide_is_full(lane);) {
        StratSequence *next = at->next;
        int64_t tokens = strat_decide_prompt(lane, at);
        if (tokens > 0 && !within(replica, &budget, tokens))
            break;
        if (!strat_decide_fits(lane, at, strat_sequence_prompt(at)) ||
            !strat_decide_admit(lane, at, tokens))
            break;
        budget.prompts += tokens > 0;
        budget.tokens += tokens;
        budget.longest = MAX(budget.longest, tokens);
        at = next;
    }
    return budget.prompts > 0;
}

StratDecision strat_scheduler_vllm_v0(StratLane *lane)
{
    if (admit_prompts(lane))
        return (StratDecision){0};
    bool preempted = strat_decide_decodes(lane);
    return strat_decide_after(lane, preempted, lane->replica->waiting.length > 0);
}
