/*
 * Random requests on random engines, with preemption, shared prefixes, several samples of a prompt
 * and beams, caches that move over one link or random fabrics: every request finishes once or is
 * refused, tokens in are tokens out, no block is lost, every prompt that decodes elsewhere moves
 * once, the ledger sums up, and runs summed in closed form are those taken one iteration at a time;
 * and so it is when replicas die.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "drawn_serve.h"
#include "topo_hot_link.h"

enum { WORKLOADS = 1000 };

/* Tokens of all answers to @request. */
static int64_t answers_of(const StratRequest *request)
{
    int64_t rows = MAX(MAX(request->samples, request->beams), 1);
    int64_t sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += request->sample_output ? request->sample_output[i] : request->output_tokens;
    return sum;
}

/* Stops after half of the requests. */
static bool is_half_done(void *ctx, const StratServeResult *so_far)
{
    const DrawnServe *world = ctx;
    return 2 * so_far->finished >= (int64_t)world->requests;
}

static StratServeResult *serve(const DrawnServe *world, bool exact)
{
    return drawn_serve_run(world, exact, NULL);
}

/* In the middle of a run the blocks of all sequences are those that are taken. */
static void check_half(DrawnServe *world, int64_t seed)
{
    StratServeWatch watch = {.ctx = world, .stops = is_half_done};
    g_autoptr(StratServeResult) half = drawn_serve_run(world, false, &watch);
    cr_assert_eq(half->lost_blocks, 0, "%ld: %ld blocks are lost half-way", seed,
                 half->lost_blocks);
}

/* Caches of request @i that move: one for a group, one for each answer that is a sequence. */
static int64_t moves_of(const DrawnServe *world, size_t i)
{
    const StratRequest *request = &world->request[i];
    bool group = g_str_equal(world->engine.scheduler, "vllm-v0") || request->beams > 0;
    if (world->deployment.pools < 2)
        return 0;
    if (group || request->samples == 0)
        return request->output_tokens > 1;
    int64_t moves = 0;
    for (int64_t j = 0; j < request->samples; j++)
        moves += (request->sample_output ? request->sample_output[j] : request->output_tokens) > 1;
    return moves;
}

static void check_outcomes(const DrawnServe *world, const StratServeResult *result, int64_t seed)
{
    int64_t finished = 0;
    int64_t moved = 0;
    int64_t out = 0;
    int64_t in = 0;
    cr_assert_eq(result->outcomes->len, world->requests);
    for (guint i = 0; i < result->outcomes->len; i++) {
        const StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, i);
        cr_assert_eq(outcome->id, (int64_t)i);
        if (outcome->replica < 0)
            continue;
        finished++;
        moved += moves_of(world, i);
        out += answers_of(&world->request[i]);
        in += outcome->input_tokens;
        cr_assert(outcome->arrival_ns <= outcome->scheduled_ns, "%ld: %u", seed, i);
        cr_assert(outcome->scheduled_ns < outcome->first_token_ns, "%ld: %u", seed, i);
        cr_assert(outcome->first_token_ns <= outcome->last_token_ns, "%ld: %u", seed, i);
        cr_assert(outcome->cached_tokens < outcome->input_tokens, "%ld: %u", seed, i);
    }
    cr_assert(world->failures.policy || strat_digest_count(result->move_s) == moved, "%ld: moves",
              seed);
    cr_assert_eq(finished, result->finished, "%ld: finished", seed);
    cr_assert_eq(out, result->output_tokens, "%ld: tokens out", seed);
    cr_assert_eq(in, result->input_tokens, "%ld: tokens in", seed);
}

static void check_sums(const StratServeResult *result, int64_t seed)
{
    cr_assert_eq(result->finished + result->refused + result->gave_up + result->failed +
                     result->unfinished,
                 result->requests);
    cr_assert_eq(result->lost_blocks, 0, "%ld: %ld blocks are lost", seed, result->lost_blocks);
    double sum_s =
        result->idle_s + result->starting_s + result->failures.down_s + result->failures.cut_s;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        sum_s += result->busy_s[i];
    /* The end is cut to a nanosecond, on every GPU. */
    double want_s = result->up_s;
    double most_s = (double)result->gpus * sim_time_to_seconds(result->end_ns);
    cr_assert(result->peak_replicas > 0 ||
                  fabs(want_s - most_s) <= 1e-9 * ((double)result->gpus + most_s),
              "%ld: up for %g", seed, want_s);
    cr_assert(fabs(sum_s - want_s) <= 1e-9 * ((double)result->gpus + want_s), "%ld: %g of %g", seed,
              sum_s, want_s);
    cr_assert(result->wasted_kv_fraction > -1e-9 && result->wasted_kv_fraction < 1.0,
              "%ld: waste %g", seed, result->wasted_kv_fraction);
}

static bool is_same(const StratServeResult *a, const StratServeResult *b, guint i)
{
    return memcmp(&g_array_index(a->outcomes, StratOutcome, i),
                  &g_array_index(b->outcomes, StratOutcome, i), sizeof(StratOutcome)) == 0;
}

static void check_equal(const StratServeResult *fast, const StratServeResult *exact, int64_t seed)
{
    cr_assert_eq(fast->end_ns, exact->end_ns, "%ld: end", seed);
    cr_assert_eq(fast->gave_up, exact->gave_up, "%ld: gave up", seed);
    cr_assert_eq(fast->refused, exact->refused, "%ld: refused", seed);
    cr_assert_eq(fast->scale_ups, exact->scale_ups, "%ld: starts", seed);
    cr_assert_eq(fast->scale_downs, exact->scale_downs, "%ld: stops", seed);
    cr_assert(fabs(fast->up_s - exact->up_s) < 1e-9, "%ld: up-time", seed);
    cr_assert_eq(fast->preemptions, exact->preemptions, "%ld: preemptions", seed);
    cr_assert_eq(fast->output_tokens, exact->output_tokens, "%ld: output", seed);
    cr_assert_eq(fast->peak_kv_fraction, exact->peak_kv_fraction, "%ld: peak", seed);
    cr_assert_eq(fast->iterations, exact->iterations, "%ld: iterations", seed);
    cr_assert_eq(fast->computed_tokens, exact->computed_tokens, "%ld: computed", seed);
    for (guint i = 0; i < fast->outcomes->len; i++)
        cr_assert(is_same(fast, exact, i), "%ld: request %u", seed, i);
    cr_assert_eq(strat_digest_count(fast->itl_s), strat_digest_count(exact->itl_s));
    cr_assert(fabs(strat_digest_mean(fast->itl_s) - strat_digest_mean(exact->itl_s)) < 1e-9,
              "%ld: gaps", seed);
    cr_assert(fabs(strat_digest_mean(fast->move_s) - strat_digest_mean(exact->move_s)) < 1e-12,
              "%ld: moves", seed);
}

/* Seconds that caches were held back by others. */
static double lost_s(const StratServeResult *result)
{
    double lost = 0.0;
    for (guint i = 0; result->hot_links && i < result->hot_links->len; i++)
        lost += g_array_index(result->hot_links, TopoHotLink, i).lost_s;
    return lost;
}

Test(serve_conservation,
     requests_tokens_blocks_and_seconds_are_kept_and_closed_forms_change_nothing)
{
    int64_t preempted = 0;
    int64_t cached = 0;
    int64_t loaded = 0;
    int64_t refused = 0;
    int64_t unfinished = 0;
    int64_t gave_up = 0;
    int64_t ups = 0;
    int64_t downs = 0;
    int64_t swapped = 0;
    int64_t shared = 0;
    int64_t crowded = 0;
    for (int64_t seed = 0; seed < WORKLOADS; seed++) {
        g_autoptr(DrawnServe) world = drawn_serve_new(seed);
        g_autoptr(StratServeResult) fast = serve(world, false);
        g_autoptr(StratServeResult) exact = serve(world, true);
        check_outcomes(world, fast, seed);
        check_sums(fast, seed);
        check_equal(fast, exact, seed);
        check_half(world, seed);
        preempted += fast->preemptions > 0;
        cached += fast->cached_tokens > 0;
        loaded += fast->loaded_tokens > 0;
        gave_up += fast->gave_up > 0;
        ups += fast->scale_ups > 0;
        downs += fast->scale_downs > 0;
        refused += fast->refused > 0;
        crowded += lost_s(fast) > 0.0;
        unfinished += fast->unfinished;
        bool group = g_str_equal(world->engine.scheduler, "vllm-v0");
        swapped += group && fast->shared_kv_fraction > 0.0 && fast->preemptions > 0;
        shared += fast->shared_kv_fraction > 0.0;
    }
    cr_expect_eq(unfinished, 0, "%ld unfinished", unfinished);
    cr_expect_gt(preempted, WORKLOADS / 10, "preemption in only %ld workloads", preempted);
    cr_expect_gt(cached, WORKLOADS / 10, "shared prefixes in only %ld workloads", cached);
    cr_expect_gt(loaded, WORKLOADS / 50, "loads from tiers in only %ld workloads", loaded);
    cr_expect_gt(swapped, WORKLOADS / 50, "preemption beside groups in only %ld", swapped);
    cr_expect_gt(shared, WORKLOADS / 5, "sharing in only %ld workloads", shared);
    cr_expect_gt(refused, 0);
    cr_expect_gt(gave_up, WORKLOADS / 50, "clients gave up in only %ld workloads", gave_up);
    cr_expect_gt(ups, WORKLOADS / 50, "replicas came in only %ld workloads", ups);
    cr_expect_gt(crowded, WORKLOADS / 20, "caches shared links in only %ld workloads", crowded);
    cr_expect_gt(downs, WORKLOADS / 50, "replicas went in only %ld workloads", downs);
}

static void check_equal_failures(const StratFailureSums *fast, const StratFailureSums *exact,
                                 int64_t seed)
{
    cr_assert_eq(fast->faults, exact->faults, "%ld: faults", seed);
    cr_assert_eq(fast->hurt, exact->hurt, "%ld: hurt", seed);
    cr_assert_eq(fast->lost_tokens, exact->lost_tokens, "%ld: lost", seed);
    cr_assert_eq(fast->restored_tokens, exact->restored_tokens, "%ld: restored", seed);
    cr_assert_eq(fast->outages->len, exact->outages->len, "%ld: outages", seed);
    if (fast->outages->len > 0) /* else there may be no data at all */
        cr_assert_eq(memcmp(fast->outages->data, exact->outages->data,
                            fast->outages->len * sizeof(StratOutageRecord)),
                     0, "%ld: outages", seed);
    cr_assert_eq(strat_digest_count(fast->stall_s), strat_digest_count(exact->stall_s));
    cr_assert_eq(strat_digest_max(fast->stall_s), strat_digest_max(exact->stall_s));
    cr_assert(fabs(fast->cut_s - exact->cut_s) < 1e-9, "%ld: broken off", seed);
}

Test(serve_conservation, so_they_are_where_replicas_die_stand_still_or_are_slow)
{
    int64_t deaths = 0;
    int64_t shrunk = 0;
    int64_t restored = 0;
    int64_t failed = 0;
    int64_t stalled = 0;
    int64_t unfinished = 0;
    for (int64_t seed = 0; seed < WORKLOADS; seed++) {
        g_autoptr(DrawnServe) world = drawn_serve_new(seed);
        drawn_serve_let_fail(world, seed);
        g_autoptr(StratServeResult) fast = serve(world, false);
        g_autoptr(StratServeResult) exact = serve(world, true);
        check_outcomes(world, fast, seed);
        check_sums(fast, seed);
        check_equal(fast, exact, seed);
        check_equal_failures(&fast->failures, &exact->failures, seed);
        deaths += fast->failures.outages->len > 0;
        restored += fast->failures.restored_tokens > 0;
        failed += fast->failed > 0;
        stalled += strat_digest_count(fast->failures.stall_s) > 0;
        unfinished += fast->unfinished;
        for (guint i = 0; i < fast->failures.outages->len; i++)
            shrunk +=
                g_array_index(fast->failures.outages, StratOutageRecord, i).gone_fraction < 1.0;
    }
    cr_expect_eq(unfinished, 0, "%ld unfinished", unfinished);
    cr_expect_gt(deaths, WORKLOADS / 3, "deaths in only %ld workloads", deaths);
    cr_expect_gt(shrunk, WORKLOADS / 50, "only %ld groups shrank", shrunk);
    cr_expect_gt(restored, WORKLOADS / 50, "copies in only %ld workloads", restored);
    cr_expect_gt(failed, WORKLOADS / 50, "errors in only %ld workloads", failed);
    cr_expect_gt(stalled, WORKLOADS / 5, "stalls in only %ld workloads", stalled);
}

Test(serve_conservation, a_price_off_by_a_millionth_of_a_second_is_seen)
{
    g_autoptr(DrawnServe) world = drawn_serve_new(1);
    g_autoptr(StratServeResult) before = serve(world, false);
    world->pricer.step_s += 1e-6;
    g_autoptr(StratServeResult) after = serve(world, true);
    guint differ = 0;
    for (guint i = 0; i < before->outcomes->len; i++)
        differ += !is_same(before, after, i);
    cr_expect_gt(differ, 0);
}
