/*
 * Laws of the replay, on drawn 1F1B jobs: each step takes what a longest path worked out apart
 * takes, to the nanosecond; folding changes nothing; the order of the rows does not matter; shorter
 * operations never make a longer step, longer ones never a shorter; ideal operations of a job that
 * is alike everywhere change nothing. (That ideal times never slow a job is no law: a mean is
 * longer than what half of its operations took.)
 */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_random.h"
#include "strat_replay_study.h"
#include "toy_trace.h"

static const ToyTrace toys[] = {
    {1,  1, 1,  2, 1},
    {3,  1, 4,  2, 2},
    {1,  2, 3,  2, 3},
    {2,  2, 2,  3, 4},
    {4,  4, 8,  2, 5},
    {2,  8, 4,  2, 6},
    {3,  5, 16, 1, 7},
    {16, 3, 3,  2, 8},
};

enum { STEPS_MOST = 3 };

static StratReplay *replay_of(const GArray *ops)
{
    g_autoptr(GError) error = NULL;
    StratReplay *replay =
        strat_replay_new((const StratReplayOp *)(void *)ops->data, ops->len, &error);
    cr_assert_not_null(replay, "%s", error ? error->message : "");
    return replay;
}

static StratReplay *replay_toy(const ToyTrace *toy)
{
    SimTime step_ns[STEPS_MOST];
    g_autoptr(GArray) ops = toy_trace(toy, step_ns);
    return replay_of(ops);
}

static double run(const StratReplay *replay, const SimTime *work_ns, StratReplayRun how,
                  double *step_s)
{
    double mean_s = 0.0;
    g_autoptr(GError) error = NULL;
    cr_assert(strat_replay_run(replay, work_ns, how, step_s, &mean_s, &error), "%s",
              error ? error->message : "");
    return mean_s;
}

Test(replay_laws, a_step_takes_what_its_longest_path_takes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(toys); i++) {
        SimTime want_ns[STEPS_MOST];
        double got_s[STEPS_MOST], gaps_s[STEPS_MOST];
        g_autoptr(GArray) ops = toy_trace(&toys[i], want_ns);
        g_autoptr(StratReplay) replay = replay_of(ops);
        run(replay, replay->work_ns, (StratReplayRun){0}, got_s);
        run(replay, replay->work_ns, (StratReplayRun){.gaps = true}, gaps_s);
        for (int64_t step = 0; step < toys[i].steps; step++) {
            cr_expect_eq(llround(got_s[step] * 1e9), want_ns[step], "toy %zu", i);
            cr_expect_eq(llround(gaps_s[step] * 1e9), want_ns[step], "toy %zu, gaps", i);
            cr_expect_eq(llround(replay->measured_s[step] * 1e9), want_ns[step], "toy %zu", i);
        }
    }
}

Test(replay_laws, folding_changes_nothing)
{
    for (size_t i = 0; i < G_N_ELEMENTS(toys); i++) {
        g_autoptr(StratReplay) replay = replay_toy(&toys[i]);
        g_autofree SimTime *work_ns = g_new(SimTime, replay->op_count);
        StratReplayPick pick = STRAT_REPLAY_PICK_ALL;
        for (pick.dp = 0; pick.dp < replay->dps; pick.dp++) {
            double folded_s[STEPS_MOST], unfolded_s[STEPS_MOST];
            strat_replay_idealise(replay, &pick, 1, true, work_ns);
            run(replay, work_ns, (StratReplayRun){0}, folded_s);
            run(replay, work_ns, (StratReplayRun){.unfolded = true}, unfolded_s);
            for (uint32_t step = 0; step < replay->step_count; step++)
                cr_expect_eq(folded_s[step], unfolded_s[step], "toy %zu, replica %d", i, pick.dp);
        }
    }
}

Test(replay_laws, the_order_of_rows_does_not_matter)
{
    for (size_t i = 0; i < G_N_ELEMENTS(toys); i++) {
        SimTime step_ns[STEPS_MOST];
        g_autoptr(GArray) ops = toy_trace(&toys[i], step_ns);
        SimRandom draws = sim_random_stream(9, "rows");
        StratReplayOp *rows = (StratReplayOp *)(void *)ops->data;
        for (guint at = ops->len; at > 1; at--) {
            uint64_t other = sim_random_below(&draws, at);
            StratReplayOp held = rows[at - 1];
            rows[at - 1] = rows[other];
            rows[other] = held;
        }
        g_autoptr(StratReplay) replay = replay_of(ops);
        double got_s[STEPS_MOST];
        run(replay, replay->work_ns, (StratReplayRun){0}, got_s);
        for (int64_t step = 0; step < toys[i].steps; step++)
            cr_expect_eq(llround(got_s[step] * 1e9), step_ns[step], "toy %zu", i);
    }
}

Test(replay_laws, shorter_operations_never_make_a_longer_step)
{
    SimRandom draws = sim_random_stream(10, "shorter");
    for (size_t i = 0; i < G_N_ELEMENTS(toys); i++) {
        g_autoptr(StratReplay) replay = replay_toy(&toys[i]);
        g_autofree SimTime *work_ns =
            g_memdup2(replay->work_ns, replay->op_count * sizeof(SimTime));
        double before_s = run(replay, work_ns, (StratReplayRun){0}, NULL), first_s = before_s;
        for (int round = 0; round < 5; round++) {
            for (uint32_t k = 0; k < replay->op_count; k++)
                if (sim_random_below(&draws, 3) == 0)
                    work_ns[k] = (SimTime)sim_random_below(&draws, (uint64_t)work_ns[k] + 1);
            double after_s = run(replay, work_ns, (StratReplayRun){0}, NULL);
            cr_expect_leq(after_s, before_s, "toy %zu", i);
            before_s = after_s;
        }
        cr_expect_lt(before_s, first_s, "toy %zu: five rounds shorten something", i);
    }
}

Test(replay_laws, a_job_alike_everywhere_is_ideal)
{
    for (size_t i = 0; i < G_N_ELEMENTS(toys); i++) {
        g_autoptr(StratReplay) replay = replay_toy(&toys[i]);
        const StratReplayPick all = STRAT_REPLAY_PICK_ALL;
        g_autofree SimTime *work_ns = g_new(SimTime, replay->op_count);
        strat_replay_idealise(replay, &all, 1, false, work_ns);
        double ideal_s = run(replay, work_ns, (StratReplayRun){0}, NULL);
        strat_replay_balance(replay, work_ns);
        cr_expect_eq(run(replay, work_ns, (StratReplayRun){0}, NULL), ideal_s, "toy %zu", i);
    }
}

Test(replay_laws, balancing_moves_work_and_keeps_it)
{
    for (size_t i = 0; i < G_N_ELEMENTS(toys); i++) {
        g_autoptr(StratReplay) replay = replay_toy(&toys[i]);
        g_autofree SimTime *work_ns =
            g_memdup2(replay->work_ns, replay->op_count * sizeof(SimTime));
        SimTime moved_ns = 0;
        int64_t passes = 0;
        strat_replay_balance(replay, work_ns);
        for (uint32_t k = 0; k < replay->op_count; k++) {
            bool is_pass = replay->ops[k].kind <= STRAT_REPLAY_BACKWARD;
            passes += is_pass;
            moved_ns += work_ns[k] - replay->work_ns[k];
            cr_expect(is_pass || work_ns[k] == replay->work_ns[k]);
        }
        cr_expect_leq(2 * ABS(moved_ns), passes, "toy %zu: half a ns a pass by rounding", i);
    }
}
