/*
 * Operations of a trace that a replay simulates in a second: a drawn job of 32 x 8 workers as it
 * was, each operation on its own, and the what-if in which one worker differs from the ideal,
 * folded. With
 * --quick, one step. Exits 1 when a replay fails.
 */
#include "strat_replay_whatif.h"
#include "toy_trace.h"

#include <stdio.h>
#include <string.h>

enum { STEPS = 8, REPEATS = 5 };

static bool time_run(const char *name, const StratReplay *replay, const SimTime *work_ns)
{
    g_autoptr(GError) error = NULL;
    double mean_s = 0.0, best_s = G_MAXDOUBLE;
    for (int i = 0; i < REPEATS; i++) {
        int64_t since = g_get_monotonic_time();
        if (!strat_replay_run(replay, work_ns, (StratReplayRun){0}, NULL, &mean_s, &error)) {
            fprintf(stderr, "strat_replay %s: %s\n", name, error->message);
            return false;
        }
        best_s = MIN(best_s, (double)(g_get_monotonic_time() - since) * 1e-6);
    }
    printf("strat_replay %-10s %8u operations in %.4f s, %.2f M a second\n", name, replay->op_count,
           best_s, replay->op_count / best_s * 1e-6);
    return true;
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const ToyTrace toy = {.dps = 32, .pps = 8, .passes = 16, .steps = quick ? 1 : STEPS, .seed = 1};
    SimTime step_ns[STEPS];
    g_autoptr(GArray) ops = toy_trace(&toy, step_ns);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratReplay) replay =
        strat_replay_new((const StratReplayOp *)(void *)ops->data, ops->len, &error);
    if (!replay) {
        fprintf(stderr, "strat_replay: %s\n", error->message);
        return 1;
    }
    g_autofree SimTime *work_ns = g_new(SimTime, replay->op_count);
    StratReplayPick worker = STRAT_REPLAY_PICK_ALL;
    worker.dp = worker.pp = 3;
    strat_replay_idealise(replay, &worker, 1, true, work_ns);
    bool ok = time_run("as it was", replay, replay->work_ns);
    return ok && time_run("one worker", replay, work_ns) ? 0 : 1;
}
