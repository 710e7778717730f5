/* A 2 x 2 job worked by hand, in microseconds: forward 10, backward 20, a transfer 1, parameters 1,
 * gradients 5, clip 2, optimizer 3; worker 1/0 takes 20 for a forward pass, and the host of that
 * worker comes 4 late to the optimizer. The critical path goes through replica 1:
 *
 *   1 + 20 (F0, stage 0) + 1 + 10 + 20 + 10 + 20 (F0 B0 F1 B1, stage 1) + 1 + 20 (B1, stage 0)
 *     + 5 + 2 + 3 = 113, and 117 with the gap.
 *
 * The mean forward pass is (6 x 10 + 2 x 20) / 8 = 12.5; everything else is ideal as it is. */
#include "scen_op_trace.h"
#include "strat_replay_study.h"
#include "strat_schedule.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

static const char job[] = "step,dp,pp,op,start_us,dur_us\n"
                          "7,0,0,params-all-gather,0,1\n"
                          "7,0,0,forward-compute,1,10\n"
                          "7,0,0,forward-send,11,1\n"
                          "7,0,0,forward-compute,11,10\n"
                          "7,0,0,forward-send,21,2\n"
                          "7,0,0,backward-recv,11,32\n"
                          "7,0,0,backward-compute,43,20\n"
                          "7,0,0,backward-recv,63,10\n"
                          "7,0,0,backward-compute,73,20\n"
                          "7,0,0,grads-reduce-scatter,93,15\n"
                          "7,0,0,optimizer-clip-main-grad,108,2\n"
                          "7,0,0,optimizer,110,3\n"
                          "7,0,1,params-all-gather,0,1\n"
                          "7,0,1,forward-recv,0,12\n"
                          "7,0,1,forward-compute,12,10\n"
                          "7,0,1,backward-compute,22,20\n"
                          "7,0,1,backward-send,42,1\n"
                          "7,0,1,forward-recv,22,1\n"
                          "7,0,1,forward-compute,42,10\n"
                          "7,0,1,backward-compute,52,20\n"
                          "7,0,1,backward-send,72,1\n"
                          "7,0,1,grads-reduce-scatter,72,15\n"
                          "7,0,1,optimizer-clip-main-grad,87,23\n"
                          "7,0,1,optimizer,110,3\n"
                          "7,1,0,params-all-gather,0,1\n"
                          "7,1,0,forward-compute,1,20\n"
                          "7,1,0,forward-send,21,1\n"
                          "7,1,0,forward-compute,21,20\n"
                          "7,1,0,forward-send,41,1\n"
                          "7,1,0,backward-recv,21,32\n"
                          "7,1,0,backward-compute,53,20\n"
                          "7,1,0,backward-recv,73,10\n"
                          "7,1,0,backward-compute,83,20\n"
                          "7,1,0,grads-reduce-scatter,103,5\n"
                          "7,1,0,optimizer-clip-main-grad,108,2\n"
                          "7,1,0,optimizer,114,3\n"
                          "7,1,1,params-all-gather,0,1\n"
                          "7,1,1,forward-recv,0,22\n"
                          "7,1,1,forward-compute,22,10\n"
                          "7,1,1,backward-compute,32,20\n"
                          "7,1,1,backward-send,52,1\n"
                          "7,1,1,forward-recv,32,10\n"
                          "7,1,1,forward-compute,52,10\n"
                          "7,1,1,backward-compute,62,20\n"
                          "7,1,1,backward-send,82,1\n"
                          "7,1,1,grads-reduce-scatter,82,5\n"
                          "7,1,1,optimizer-clip-main-grad,87,23\n"
                          "7,1,1,optimizer,110,3\n";

static StratReplay *read_job(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("job-XXXXXX.csv", &path, NULL);
    cr_assert(file >= 0 && g_close(file, NULL) && g_file_set_contents(path, job, -1, NULL));
    StratReplay *replay = scen_op_trace_read(path, &error);
    g_unlink(path);
    cr_assert_not_null(replay, "%s", error ? error->message : "");
    return replay;
}

static void expect_us(const char *what, double got_s, double want_us)
{
    cr_expect(got_s > (want_us - 1e-3) * 1e-6 && got_s < (want_us + 1e-3) * 1e-6,
              "%s: %.4f us, not %.4f", what, got_s * 1e6, want_us);
}

static double mean_s(const StratReplay *replay, StratReplayPick pick, size_t count, bool balance)
{
    const StratReplayChange change = {.picks = &pick, .count = count, .balance = balance};
    double seconds = 0.0;
    cr_assert(strat_replay_change(replay, &change, &seconds, NULL));
    return seconds;
}

Test(strat_replay, a_job_worked_by_hand_takes_what_its_critical_path_does)
{
    g_autoptr(StratReplay) replay = read_job();
    StratReplayTotals totals;
    cr_assert(strat_replay_totals(replay, &totals, NULL));
    expect_us("measured", replay->measured_mean_s, 117.0);
    expect_us("replayed", totals.replayed_s, 117.0);
    expect_us("without gaps", totals.without_gaps_s, 113.0);
    expect_us("no stragglers", totals.no_stragglers_s, 110.5);
}

Test(strat_replay, waits_are_told_from_work)
{
    g_autoptr(StratReplay) replay = read_job();
    const SimTime want_ns[STRAT_REPLAY_KINDS] = {
        [STRAT_REPLAY_FORWARD] = 12500,      [STRAT_REPLAY_BACKWARD] = 20000,
        [STRAT_REPLAY_FORWARD_SEND] = 1000,  [STRAT_REPLAY_FORWARD_RECV] = 1000,
        [STRAT_REPLAY_BACKWARD_SEND] = 1000, [STRAT_REPLAY_BACKWARD_RECV] = 1000,
        [STRAT_REPLAY_PARAMS_GATHER] = 1000, [STRAT_REPLAY_GRADS_SCATTER] = 5000,
        [STRAT_REPLAY_CLIP] = 2000,          [STRAT_REPLAY_OPTIMIZER] = 3000,
    };
    for (int kind = 0; kind < STRAT_REPLAY_KINDS; kind++)
        cr_expect_eq(replay->ideal_ns[kind], want_ns[kind], "%s: %" G_GINT64_FORMAT,
                     strat_replay_kind(kind)->name, replay->ideal_ns[kind]);
    SimTime gaps_ns = 0;
    for (uint32_t i = 0; i < replay->op_count; i++)
        gaps_ns += replay->gap_ns[i];
    cr_expect_eq(gaps_ns, 4000, "only the late optimizer has a gap");
}

Test(strat_replay, what_ifs_move_the_critical_path)
{
    g_autoptr(StratReplay) replay = read_job();
    const StratReplayPick any = STRAT_REPLAY_PICK_ALL;
    StratReplayPick worker = any, last = any, compute = any, communication = any, forward = any;
    worker.dp = 1;
    worker.pp = 0;
    last.pp = 1;
    compute.family = STRAT_REPLAY_FAMILY_COMPUTE;
    communication.family = STRAT_REPLAY_FAMILY_COMMUNICATION;
    forward.kind = STRAT_REPLAY_FORWARD;
    expect_us("nothing", mean_s(replay, any, 0, false), 113.0);
    /* 12.5 in place of 20 at its head. */
    expect_us("worker 1/0", mean_s(replay, worker, 1, false), 105.5);
    /* Two forward passes of the last stage get slower: the mean is above what they took. */
    expect_us("last stage", mean_s(replay, last, 1, false), 118.0);
    expect_us("compute", mean_s(replay, compute, 1, false), 110.5);
    expect_us("forward", mean_s(replay, forward, 1, false), 110.5);
    expect_us("communication", mean_s(replay, communication, 1, false), 113.0);
    /* Replica 1 has 15 for every forward pass: 5 less at its head, 5 more twice in stage 1. */
    expect_us("balance", mean_s(replay, any, 0, true), 118.0);
}

Test(strat_replay, causes_come_dearest_first)
{
    g_autoptr(StratReplay) replay = read_job();
    double ideal_s = 110.5e-6;
    g_autoptr(GArray) workers = strat_replay_workers(replay, ideal_s, NULL);
    g_autoptr(GArray) stages = strat_replay_stages(replay, ideal_s, NULL);
    g_autoptr(GArray) kinds = strat_replay_kinds(replay, ideal_s, NULL);
    const StratReplayCause *first = &g_array_index(workers, StratReplayCause, 0);
    cr_assert_eq(workers->len, 4);
    cr_expect(first->pick.dp == 1 && first->pick.pp == 0);
    expect_us("worker 1/0 alone", first->slowdown * ideal_s, 118.0);
    for (guint i = 1; i < workers->len; i++)
        cr_expect_leq(first[i].slowdown, first[i - 1].slowdown);
    cr_assert_eq(stages->len, 2);
    cr_expect_eq(g_array_index(stages, StratReplayCause, 0).pick.pp, 0);
    cr_assert_eq(kinds->len, 8, "sends and recvs are one cause a direction, absent kinds none");
    cr_expect_eq(g_array_index(kinds, StratReplayCause, 0).pick.kind, STRAT_REPLAY_FORWARD);
}

/* The job without operation @drop, or with replica and stage numbers of @drop raised. */
static char *fault_of(uint32_t drop, int32_t raise)
{
    g_autoptr(StratReplay) replay = read_job();
    g_autoptr(GError) error = NULL;
    uint32_t count = replay->op_count;
    replay->ops[drop].pp += raise;
    if (raise == 0)
        replay->ops[drop] = replay->ops[--count];
    g_autoptr(StratReplay) broken = strat_replay_new(replay->ops, count, &error);
    cr_assert_null(broken);
    cr_assert(g_error_matches(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED));
    return g_strdup(error->message);
}

static uint32_t first_of_kind(StratReplayKind kind)
{
    g_autoptr(StratReplay) replay = read_job();
    uint32_t i = 0;
    while (replay->ops[i].kind != kind)
        i++;
    return i;
}

Test(strat_replay, a_trace_with_an_operation_missing_is_refused)
{
    static const struct {
        StratReplayKind kind;
        int32_t raise;
        const char *says;
    } faults[] = {
        {STRAT_REPLAY_FORWARD_SEND,  0,  "step 7: the worker dp 0, pp 0 has 1 forward-send where"},
        {STRAT_REPLAY_FORWARD,       0,  "has 2 backward-compute where its partners make it 1"   },
        {STRAT_REPLAY_GRADS_SCATTER, 0,  "dp 1, pp 0 has 1 grads-reduce-scatter"                 },
        {STRAT_REPLAY_CLIP,          0,  "has 1 optimizer-clip-main-grad where its partners"     },
        {STRAT_REPLAY_OPTIMIZER,     50, "of 2 x 51 workers (dp x pp): some are missing"         },
        {STRAT_REPLAY_OPTIMIZER,     2,  "dp 0, pp 1 has 0 forward-send"                         },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *message = fault_of(first_of_kind(faults[i].kind), faults[i].raise);
        cr_expect_not_null(strstr(message, faults[i].says), "case %zu: %s", i, message);
    }
    g_autoptr(GError) error = NULL;
    cr_expect_null(strat_replay_new(NULL, 0, &error));
    cr_expect_not_null(strstr(error->message, "not 0"));
}
