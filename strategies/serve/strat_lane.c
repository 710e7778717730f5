/*
 * One lane of a replica. A decision with chunks of prompts is one iteration and priced as it is.
 * One of decodes only that the scheduler would repeat is a run of k iterations, k the smallest of
 *
 *     until the first sequence finishes; until the blocks free now are used up (while others wait:
 *     those without a prefix in them, and until beams that are dropped leave some); as far as one
 * line of the curve reaches; what the scheduler allows
 *
 * whose times are summed in closed form (strat_curve.c). A request that comes in the middle of it,
 * and might be let in, ends it with the iteration under way. With --exact k is 1 and the scheduler
 * is asked each time: the same decisions at the same times, since all sums are of integers.
 *
 * With S pipeline stages a lane's iteration passes all of them and keeps each busy for 1 / S of its
 * time; the next lane may start when the first stage is free.
 */
#include "strat_lane.h"

#include "strat_replica_private.h"
#include "strat_scheduler.h"
#include "strat_tally.h"

/* The decodes of the next iteration, with their own tokens; rows of finished ones that are still in
 * the batch are computed and attend to nothing. */
static StratDecodeLoad decode_load(StratLane *lane)
{
    const StratDecodes *decodes = &lane->decodes;
    const StratSequence *longest = strat_lane_longest(lane);
    int64_t width = decodes->width << STRAT_TOKEN_BITS;
    int64_t done = decodes->at - longest->since;
    return (StratDecodeLoad){
        .count = decodes->count + lane->padded.length,
        .sum = decodes->sum + decodes->count * width,
        .growth = decodes->growth,
        .longest =
            ((int64_t)longest->computed << STRAT_TOKEN_BITS) + done * longest->growth + width,
        .longest_growth = longest->growth,
    };
}

/* Iterations, of @most, for which the blocks free now last; those of the first are taken. While
 * somebody waits no prefix may be evicted unseen: one with less of its own in the cache may need
 * fewer free blocks for its first chunk. */
static int64_t fed(const StratLane *lane, int64_t most)
{
    const StratReplica *replica = lane->replica;
    const StratDecodes *decodes = &lane->decodes;
    int64_t free_blocks =
        replica->waiting.head ? strat_kv_plain(replica->kv) : strat_kv_available(replica->kv);
    int64_t tokens = (most * decodes->growth) >> STRAT_TOKEN_BITS;
    if (decodes->searches == 0 &&
        tokens / decodes->block_tokens + 2 * decodes->count <= free_blocks)
        return most;
    for (int64_t i = 2; i <= most; i++) {
        free_blocks += strat_decodes_freed(decodes, i - 1) - strat_decodes_need(decodes, i);
        if (free_blocks < 0)
            return i - 1;
    }
    return most;
}

/* Iterations, of @most, until beams leave blocks to those who want some. */
static int64_t unfreed(const StratLane *lane, int64_t most)
{
    const StratReplica *replica = lane->replica;
    if (lane->decodes.searches == 0 || (!replica->waiting.head && !replica->swapped.head))
        return most;
    for (int64_t i = 1; i < most; i++)
        if (strat_decodes_freed(&lane->decodes, i) > 0)
            return i;
    return most;
}

static void plan_run(StratLane *lane, const StratDecision *decision, bool alone)
{
    StratReplica *replica = lane->replica;
    lane->load = decode_load(lane);
    int64_t most = 1;
    if (decision->repeats && !alone) {
        most = strat_decodes_left(&lane->decodes);
        most = decision->most > 0 ? MIN(most, decision->most) : most;
        most = fed(lane, unfreed(lane, most));
    }
    lane->stretch = strat_curve_stretch(replica->curve, &lane->load, most);
    lane->iterations = lane->stretch.count;
    lane->end = lane->now + strat_stretch_time(&lane->stretch, lane->iterations);
    replica->gate = lane->now + lane->stretch.stage;
}

/* Sequences that sample at the end of the iteration. */
static int64_t outputs(const StratLane *lane)
{
    int64_t count = lane->decoding ? lane->decodes.count : 0;
    for (guint i = 0; i < lane->chunk_of->len; i++)
        count += strat_sequence_left(g_ptr_array_index(lane->chunk_of, i)) == 0;
    return count;
}

/* The iteration starts when what it waits for is there; pages come beside it, layer by layer. */
static void add_waits(StratLane *lane)
{
    StratIteration *price = &lane->price;
    double late_s = lane->wait_s + MAX(lane->load_s - price->seconds, 0.0);
    price->part_s[STRAT_SERVE_OFFLOAD] += late_s;
    price->seconds += late_s;
    price->stage_s += late_s;
}

static void plan_mixed(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    StratBatch batch = {
        .chunk = (const StratChunk *)(const void *)lane->chunk->data,
        .chunks = lane->chunk->len,
        .outputs = outputs(lane),
        .starts = lane->starts,
        .start_tokens = lane->start_tokens,
    };
    double decode_s = 0.0;
    if (lane->decoding) {
        StratDecodeLoad load = decode_load(lane);
        StratStretch alone = strat_curve_stretch(replica->curve, &load, 1);
        decode_s = strat_fine_seconds(strat_stretch_time(&alone, 1));
        double tokens = (double)(INT64_C(1) << STRAT_TOKEN_BITS);
        batch.decodes = load.count;
        batch.decode_tokens = lane->decodes.width;
        batch.context = (double)load.sum / ((double)load.count * tokens);
        batch.longest = MAX((double)load.longest / tokens, batch.context);
    }
    replica->pricer->price(replica->pricer, &batch, &lane->price);
    lane->prompt_s = MAX(lane->price.seconds - decode_s, 0.0);
    add_waits(lane);
    lane->stretch.count = 0;
    lane->iterations = 1;
    lane->end = lane->now + strat_fine_from_seconds(lane->price.seconds);
    replica->gate = lane->now + strat_fine_from_seconds(lane->price.stage_s);
}

/* Says which prompts, whose decoding happens elsewhere, the iteration will complete. */
static void announce(const StratLane *lane)
{
    const StratReplicaEvents *events = &lane->replica->events;
    for (guint i = 0; events->completes && i < lane->chunk_of->len; i++) {
        StratSequence *sequence = g_ptr_array_index(lane->chunk_of, i);
        if (strat_sequence_left(sequence) == 0 && sequence->produced + 1 < sequence->output_tokens)
            events->completes(events->ctx, lane->replica, sequence,
                              &g_array_index(lane->chunk, StratChunk, i), lane->price.seconds,
                              lane->now);
    }
}

bool strat_lane_begin(StratLane *lane, StratFine now, bool exact)
{
    StratReplica *replica = lane->replica;
    g_array_set_size(lane->chunk, 0);
    g_ptr_array_set_size(lane->chunk_of, 0);
    lane->starts = 0;
    lane->start_tokens = 0;
    lane->wait_s = lane->load_s = 0.0;
    lane->now = now;
    int64_t preemptions = replica->tally->result->preemptions;
    StratDecision decision = replica->scheduler->decide(lane);
    strat_replica_look(replica, now);
    lane->deaf = decision.deaf;
    lane->runs = lane->decoding || lane->chunk->len > 0;
    if (!lane->runs) {
        bool preempted = replica->tally->result->preemptions > preemptions;
        lane->end = preempted ? now + 1 : strat_fine_from_ns(decision.wake_ns);
        return false;
    }
    if (lane->chunk->len > 0 || lane->wait_s > 0.0)
        plan_mixed(lane);
    else
        plan_run(lane, &decision, exact || replica->lanes > 1);
    announce(lane);
    return true;
}

/* Iterations of the run that are over or under way at @at. */
static int64_t reached(const StratLane *lane, StratFine at)
{
    if (lane->iterations == 1)
        return 1;
    return CLAMP(strat_stretch_reach(&lane->stretch, at - lane->now), 1, lane->iterations);
}

static StratFine end_of(const StratLane *lane, int64_t iterations)
{
    if (iterations == lane->iterations)
        return lane->end;
    return lane->now + strat_stretch_time(&lane->stretch, iterations);
}

void strat_lane_interrupt(StratLane *lane, StratFine at)
{
    if (!lane->runs || lane->deaf)
        return;
    int64_t iterations = reached(lane, at);
    lane->end = end_of(lane, iterations);
    lane->iterations = iterations;
}

StratFine strat_lane_boundary(const StratLane *lane, StratFine at)
{
    return lane->runs ? end_of(lane, reached(lane, at)) : at;
}

int64_t strat_lane_grown(const StratLane *lane, StratFine at)
{
    int64_t blocks = 0;
    if (!lane->runs || !lane->decoding)
        return 0;
    for (int64_t i = reached(lane, at); i > 1; i--)
        blocks +=
            strat_decodes_need(&lane->decodes, i) - strat_decodes_freed(&lane->decodes, i - 1);
    return blocks;
}

int64_t strat_lane_done(const StratLane *lane, StratFine at)
{
    if (!lane->runs || at >= lane->end)
        return lane->runs ? lane->iterations : 0;
    if (lane->stretch.count == 0 || at < lane->now)
        return 0;
    return strat_stretch_reach(&lane->stretch, at - lane->now + 1) - 1;
}

/* An iteration with prompts. */
static void charge_mixed(const StratLane *lane, StratServeResult *result)
{
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        result->busy_s[i] += lane->replica->gpus * lane->price.part_s[i];
    result->prompt_s += lane->replica->gpus * lane->prompt_s;
}

void strat_lane_end(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    StratServeResult *result = replica->tally->result;
    result->iterations += lane->iterations;
    if (lane->stretch.count > 0)
        strat_curve_parts(&lane->stretch, &lane->load, lane->iterations, replica->gpus,
                          result->busy_s);
    else
        charge_mixed(lane, result);
    lane->runs = false;
    strat_lane_settle(lane, lane->end);
}
