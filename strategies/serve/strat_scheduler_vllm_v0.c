/*
 * vLLM V0, vllm/core/scheduler.py of vLLM 0.4 (commit 0054e1f), _schedule_default(); Kwon et al.,
 * SOSP 2023. An iteration is prompts or decodes, never both:
 *
 *   1. Unless somebody is swapped out: waiting prompts, whole and in order, while their blocks are
 *      free above the watermark, the prompts together have at most max_tokens tokens and at most
 *      max_sequences run. Up to vLLM 0.2 prompts are padded to the longest (padded_prompts): then
 *      it is their number times the longest that counts.
 *   2. Only when no prompt goes: the decodes. While one finds no block the last of the running
 *      goes: to the host while there is room, else back to the head of the queue, to be computed
 *      again.
 *   3. When nobody had to go: those on the host come back, in order, while their blocks are free
 *      above the watermark, and decode with the others.
 *
 * Requests whose LoRA adapter finds no slot are passed over. A prompt longer than max_tokens goes
 * alone: the engine refuses a limit below its longest sequence.
 *
 * Samples and beams of a request are one group (SequenceGroup): its prompt needs places for all of
 * them (get_max_num_running_seqs()), it is preempted as one and only to the host, since nothing
 * computes several tails of a prompt again; where that is full the engine stops with "Aborted due
 * to the lack of CPU swap space". It comes back when there is a free block for each of its rows.
 *
 * Left out: the delay factor (0 by default), chunked prefill on V0 (another scheduler there, akin
 * to Sarathi's), the limit on padding of vLLM 0.2 (max_paddings), that with swap space the engine
 * still computes a request of one sequence again unless told otherwise, and that the engine wants a
 * free block for each decode even when its last one has room.
 */
#include "strat_decide.h"
#include "strat_forks.h"

typedef struct Budget {
    int64_t prompts, tokens, longest;
    bool blocked; /* the queue stopped at somebody */
} Budget;

static bool within(const StratReplica *replica, const Budget *budget, int64_t tokens)
{
    if (budget->prompts == 0 || tokens == 0)
        return true;
    int64_t all = budget->tokens + tokens;
    if (replica->engine->padded_prompts)
        all = (budget->prompts + 1) * MAX(budget->longest, tokens);
    return all <= replica->max_tokens;
}

static Budget admit_prompts(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    Budget budget = {0};
    for (StratSequence *at = replica->waiting.head; at && !strat_decide_is_full(lane);) {
        StratSequence *next = at->next;
        int64_t tokens = strat_decide_prompt(lane, at);
        if (!strat_replica_takes_adapter(replica, at)) {
            at = next;
            continue;
        }
        budget.blocked = !strat_decide_has_places(lane, at) || !within(replica, &budget, tokens) ||
                         !strat_decide_fits(lane, at, strat_sequence_prompt(at)) ||
                         !strat_decide_admit(lane, at, tokens);
        if (budget.blocked)
            break;
        budget.prompts += tokens > 0;
        budget.tokens += tokens;
        budget.longest = MAX(budget.longest, tokens);
        at = next;
    }
    return budget;
}

/* True when somebody came back. */
static bool swap_in(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    int64_t swapped = replica->swapped.length;
    for (StratSequence *at; (at = strat_replica_swapped(replica));) {
        /* The engine asks for one block more for each, for the next token. */
        int64_t blocks = strat_forks_rest(at, at->computed, strat_kv_block_tokens(replica->kv)) +
                         strat_sequence_rows(at);
        int64_t spare = replica->running > 0 ? replica->watermark : 0;
        if (!strat_decide_has_places(lane, at) || !strat_replica_takes_adapter(replica, at) ||
            blocks + spare > strat_replica_free_blocks(replica) || !strat_lane_swap_in(lane, at))
            break;
    }
    return replica->swapped.length < swapped;
}

StratDecision strat_scheduler_vllm_v0(StratLane *lane)
{
    const StratReplica *replica = lane->replica;
    Budget budget = {.blocked = true};
    if (replica->swapped.length == 0)
        budget = admit_prompts(lane);
    if (budget.prompts > 0)
        return (StratDecision){0};
    bool changes = strat_decide_decodes(lane, true) || swap_in(lane);
    return strat_decide_after(lane, changes, budget.blocked);
}
