/*
 * The counts of a run. Latencies are from the arrival: TTFT to the first token, end to end to the
 * last, TPOT = (last - first) / (outputs - 1). GPU-seconds: an iteration takes all GPUs of its
 * replica (with S stages, each of the S lanes a share of 1 / S) for as long as it lasts; what no
 * iteration took until the last token of the run is idle, so busy + idle = GPUs x end; where
 * replicas come and go, busy + idle + starting = the up-time of their GPUs; where they die, so are
 * the time that they are away and that of iterations that broke off.
 *
 * How fast the queue grows is the slope of a least-squares line through its length at the arrivals
 * of the second half of the run. The points are thinned out by halves, so that there are at most
 * QUEUE_POINTS of them however long the run is.
 */
#include "strat_tally.h"

#include "strat_forks.h"

#include <math.h>

enum { QUEUE_POINTS = 2048 };

void strat_tally_init(StratTally *tally, const StratServeSpec *spec)
{
    StratServeResult *result = g_new0(StratServeResult, 1);
    result->ttft_s = strat_digest_new();
    result->tpot_s = strat_digest_new();
    result->itl_s = strat_digest_new();
    result->e2e_s = strat_digest_new();
    result->queue_s = strat_digest_new();
    result->move_s = strat_digest_new();
    result->samples = g_array_new(false, false, sizeof(StratServeSample));
    if (spec->keep_requests)
        result->outcomes = g_array_new(false, false, sizeof(StratOutcome));
    *tally = (StratTally){
        .result = result,
        .warm_up = spec->warm_up_requests,
        .slo_ttft_s = spec->deployment->slo_ttft_s,
        .slo_tpot_s = spec->deployment->slo_tpot_s,
        .slo_e2e_s = spec->deployment->slo_e2e_s,
        .queue = g_array_new(false, false, sizeof(StratQueuePoint)),
        .stride = 1,
    };
}

void strat_tally_clear(StratTally *tally)
{
    strat_serve_result_free(tally->result);
    g_array_unref(tally->queue);
}

void strat_serve_result_free(StratServeResult *result)
{
    if (!result)
        return;
    strat_digest_free(result->ttft_s);
    strat_digest_free(result->tpot_s);
    strat_digest_free(result->itl_s);
    strat_digest_free(result->e2e_s);
    strat_digest_free(result->queue_s);
    if (result->failures.outages) {
        g_array_unref(result->failures.outages);
        strat_digest_free(result->failures.stall_s);
    }
    strat_digest_free(result->move_s);
    if (result->hot_links)
        g_array_unref(result->hot_links);
    g_array_unref(result->samples);
    if (result->outcomes)
        g_array_unref(result->outcomes);
    g_free(result);
}

double strat_serve_attainment(const StratServeResult *result)
{
    return result->asked > 0 ? (double)result->within_slo / (double)result->asked : 0.0;
}

static void note_queue(StratTally *tally, SimTime at, int64_t waiting)
{
    if (tally->arrivals++ % tally->stride != 0)
        return;
    StratQueuePoint point = {sim_time_to_seconds(at), (double)waiting};
    g_array_append_val(tally->queue, point);
    if (tally->queue->len < QUEUE_POINTS)
        return;
    StratQueuePoint *points = (StratQueuePoint *)(void *)tally->queue->data;
    for (guint i = 0; i < QUEUE_POINTS / 2; i++)
        points[i] = points[2 * i];
    g_array_set_size(tally->queue, QUEUE_POINTS / 2);
    tally->stride *= 2;
}

void strat_tally_arrived(StratTally *tally, const StratRequest *request, int64_t waiting)
{
    StratServeResult *result = tally->result;
    result->requests++;
    result->asked += request->id >= tally->warm_up;
    note_queue(tally, request->arrival_ns, waiting);
    if (!result->outcomes)
        return;
    StratOutcome nothing = {.id = -1};
    while (result->outcomes->len <= request->id)
        g_array_append_val(result->outcomes, nothing);
    g_array_index(result->outcomes, StratOutcome, request->id) = (StratOutcome){
        .id = request->id,
        .input_tokens = request->input_tokens,
        .output_tokens = request->output_tokens,
        .arrival_ns = request->arrival_ns,
        .scheduled_ns = -1,
        .first_token_ns = -1,
        .last_token_ns = -1,
        .replica = -1,
    };
}

void strat_tally_gap(StratTally *tally, StratFine gap, int64_t count)
{
    if (tally->measuring)
        strat_digest_add(tally->result->itl_s, strat_fine_seconds(gap), count);
}

void strat_tally_stall(StratTally *tally, StratFine gap, int64_t count)
{
    if (tally->result->failures.stall_s)
        strat_digest_add(tally->result->failures.stall_s, strat_fine_seconds(gap), count);
}

void strat_tally_moved(StratTally *tally, int64_t id, StratFine took)
{
    if (id >= tally->warm_up)
        strat_digest_add(tally->result->move_s, strat_fine_seconds(took), 1);
}

void strat_tally_first_token(StratTally *tally, const StratSequence *sequence)
{
    tally->first_token_s += sim_time_to_seconds(sequence->first_token_ns - sequence->arrival_ns);
    tally->first_tokens++;
    if (sequence->id >= tally->warm_up)
        tally->measuring = true;
}

static bool meets(double objective_s, double value_s)
{
    return objective_s <= 0.0 || value_s <= objective_s;
}

/* Outputs of @sequence, which is finished, and of the other samples of its request. */
static int64_t said(const StratSequence *sequence)
{
    return sequence->forks ? sequence->forks->said : sequence->produced;
}

static void measure(StratTally *tally, const StratSequence *sequence)
{
    StratServeResult *result = tally->result;
    double ttft_s = sim_time_to_seconds(sequence->first_token_ns - sequence->arrival_ns);
    double e2e_s = sim_time_to_seconds(sequence->last_token_ns - sequence->arrival_ns);
    double tpot_s = 0.0;
    strat_digest_add(result->ttft_s, ttft_s, 1);
    strat_digest_add(result->e2e_s, e2e_s, 1);
    strat_digest_add(result->queue_s,
                     sim_time_to_seconds(sequence->scheduled_ns - sequence->arrival_ns), 1);
    if (sequence->output_tokens > 1) {
        tpot_s = sim_time_to_seconds(sequence->last_token_ns - sequence->first_token_ns) /
                 (double)(sequence->output_tokens - 1);
        strat_digest_add(result->tpot_s, tpot_s, 1);
    }
    result->measured++;
    bool fails[] = {!meets(tally->slo_ttft_s, ttft_s), !meets(tally->slo_tpot_s, tpot_s),
                    !meets(tally->slo_e2e_s, e2e_s)};
    for (size_t i = 0; i < G_N_ELEMENTS(fails); i++)
        result->missed[i] += fails[i];
    if (fails[0] || fails[1] || fails[2])
        return;
    result->within_slo++;
    result->within_slo_tokens += said(sequence);
}

void strat_tally_finished(StratTally *tally, const StratSequence *sequence, int32_t replica)
{
    StratServeResult *result = tally->result;
    result->finished++;
    result->input_tokens += sequence->input_tokens;
    result->cached_tokens += sequence->cached_tokens;
    result->output_tokens += said(sequence);
    result->answers += sequence->forks ? sequence->forks->samples : 1;
    if (sequence->id >= tally->warm_up)
        measure(tally, sequence);
    if (!result->outcomes)
        return;
    StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, sequence->id);
    outcome->cached_tokens = sequence->cached_tokens;
    outcome->scheduled_ns = sequence->scheduled_ns;
    outcome->first_token_ns = sequence->first_token_ns;
    outcome->last_token_ns = sequence->last_token_ns;
    outcome->preemptions = sequence->preemptions;
    outcome->replica = replica;
}

/* Slope of the least-squares line through @points. */
static double slope(const StratQueuePoint *points, guint count)
{
    double at = 0.0;
    double waiting = 0.0;
    for (guint i = 0; i < count; i++) {
        at += points[i].at_s / count;
        waiting += points[i].waiting / count;
    }
    double cross = 0.0;
    double square = 0.0;
    for (guint i = 0; i < count; i++) {
        cross += (points[i].at_s - at) * (points[i].waiting - waiting);
        square += (points[i].at_s - at) * (points[i].at_s - at);
    }
    return square > 0.0 ? cross / square : 0.0;
}

void strat_tally_close(StratTally *tally)
{
    StratServeResult *result = tally->result;
    result->end_ns = strat_fine_ns(tally->end);
    double busy_s = 0.0;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        busy_s += result->busy_s[i];
    if (result->peak_replicas == 0)
        result->up_s = (double)result->gpus * strat_fine_seconds(tally->end);
    double gone_s = result->starting_s + result->failures.down_s + result->failures.cut_s;
    result->idle_s = fmax(result->up_s - gone_s - busy_s, 0.0);
    result->wasted_kv_fraction = tally->block_s > 0.0 ? 1.0 - tally->token_s / tally->block_s : 0.0;
    result->shared_kv_fraction =
        tally->block_s > 0.0 ? tally->saved_s / (tally->block_s + tally->saved_s) : 0.0;
    guint half = tally->queue->len / 2;
    const StratQueuePoint *points = (const StratQueuePoint *)(const void *)tally->queue->data;
    result->waiting_growth_per_s = slope(points + half, tally->queue->len - half);
}
