/* A 1F1B step by hand: durations are drawn, and every end is raised to what its rule asks for, over
 * and over until none moves. Nothing of strat_replay*.c is used. */
#include "toy_trace.h"

#include "sim_random.h"

#include <string.h>

enum { STAGES = 8, PASSES = 16 };

/* One replica: durations (d) and ends (e) by stage and microbatch. The sends and recvs of a stage's
 * boundary to the next are indexed by the stage before it. */
typedef struct Replica {
    SimTime gather_d[STAGES], scatter_d[STAGES], clip_d[STAGES], optimizer_d[STAGES];
    SimTime pass_d[2][STAGES][PASSES], pass_e[2][STAGES][PASSES];
    SimTime half_d[2][2][STAGES][PASSES]; /* direction, send or recv */
    SimTime ready[2][2][STAGES][PASSES];
    SimTime half_e[2][2][STAGES][PASSES];
    SimTime gather_e[STAGES], done_e[STAGES]; /* done: the last pass */
} Replica;

typedef struct Step {
    const ToyTrace *toy;
    Replica *replicas;
    int64_t number;
} Step;

static SimTime draw(SimRandom *draws)
{
    return 1 + (SimTime)sim_random_below(draws, 1000);
}

static void draw_replica(const ToyTrace *toy, Replica *r, SimRandom *draws)
{
    memset(r, 0, sizeof *r);
    for (int s = 0; s < toy->pps; s++) {
        r->gather_d[s] = draw(draws);
        r->scatter_d[s] = draw(draws);
        r->clip_d[s] = draw(draws);
        r->optimizer_d[s] = draw(draws);
        for (int m = 0; m < toy->passes; m++) {
            for (int way = 0; way < 2; way++) {
                r->pass_d[way][s][m] = draw(draws);
                r->half_d[way][0][s][m] = draw(draws);
                r->half_d[way][1][s][m] = draw(draws);
            }
        }
    }
}

/* The passes of stage @s in the order of 1F1B: +m is forward m - 1, -m backward m - 1. */
static int order_of(const ToyTrace *toy, int s, int order[2 * PASSES])
{
    int warmup = MIN(toy->pps - 1 - s, toy->passes), forward = 0, backward = 0, count = 0;
    while (forward < warmup)
        order[count++] = ++forward;
    while (forward < toy->passes) {
        order[count++] = ++forward;
        order[count++] = -++backward;
    }
    while (backward < toy->passes)
        order[count++] = -++backward;
    return count;
}

static bool raise_to(SimTime *at, SimTime to)
{
    bool moved = to > *at;
    *at = MAX(*at, to);
    return moved;
}

/* A transfer of direction @way over the boundary after stage @b: 0 forward, 1 backward. */
static bool settle_transfer(const ToyTrace *toy, Replica *r, int way, int b, int m)
{
    int from = way == 0 ? b : b + 1, to = way == 0 ? b + 1 : b;
    int order[2 * PASSES];
    bool moved = raise_to(&r->ready[way][0][b][m], r->pass_e[way][from][m]);
    if (m > 0) {
        moved |= raise_to(&r->ready[way][0][b][m], r->half_e[way][0][b][m - 1]);
        moved |= raise_to(&r->ready[way][1][b][m], r->half_e[way][1][b][m - 1]);
        moved |= raise_to(&r->ready[way][1][b][m], r->pass_e[way][to][m - 1]);
    } else if (way ==
               1) { /* posted after the last forward pass but one before the first backward */
        order_of(toy, to, order);
        for (int i = 2; i < 2 * toy->passes && order[i - 1] > 0; i++)
            if (order[i] < 0)
                moved |= raise_to(&r->ready[1][1][b][0], r->pass_e[0][to][order[i - 2] - 1]);
    }
    SimTime meet = MAX(r->ready[way][0][b][m], r->ready[way][1][b][m]);
    for (int half = 0; half < 2; half++)
        moved |= raise_to(&r->half_e[way][half][b][m], meet + r->half_d[way][half][b][m]);
    return moved;
}

static bool settle_stage(const ToyTrace *toy, Replica *r, int s)
{
    int order[2 * PASSES], count = order_of(toy, s, order);
    bool moved = false;
    SimTime free_at = r->gather_e[s];
    for (int i = 0; i < count; i++) {
        int way = order[i] < 0, m = ABS(order[i]) - 1;
        SimTime fed = 0;
        if (way == 0 && s > 0)
            fed = r->half_e[0][1][s - 1][m];
        if (way == 1 && s < toy->pps - 1)
            fed = r->half_e[1][1][s][m];
        moved |= raise_to(&r->pass_e[way][s][m], MAX(free_at, fed) + r->pass_d[way][s][m]);
        free_at = r->pass_e[way][s][m];
    }
    r->done_e[s] = free_at;
    return moved;
}

static void settle(const Step *step)
{
    const ToyTrace *toy = step->toy;
    for (int dp = 0; dp < toy->dps; dp++) {
        Replica *r = &step->replicas[dp];
        for (int s = 0; s < toy->pps; s++)
            r->gather_e[s] = r->gather_d[s];
        for (bool moved = true; moved;) {
            moved = false;
            for (int s = 0; s < toy->pps; s++)
                moved |= settle_stage(toy, r, s);
            for (int b = 0; b + 1 < toy->pps; b++)
                for (int m = 0; m < toy->passes; m++)
                    for (int way = 0; way < 2; way++)
                        moved |= settle_transfer(toy, r, way, b, m);
        }
    }
}

static void put(const Step *step, GArray *ops, int dp, int pp, StratReplayKind kind, SimTime start,
                SimTime end)
{
    const StratReplayOp op = {.step = step->number,
                              .dp = dp,
                              .pp = pp,
                              .kind = kind,
                              .start_ns = start,
                              .duration_ns = end - start};
    g_array_append_val(ops, op);
}

static void put_passes(const Step *step, GArray *ops, int dp, int s)
{
    const Replica *r = &step->replicas[dp];
    put(step, ops, dp, s, STRAT_REPLAY_PARAMS_GATHER, 0, r->gather_e[s]);
    for (int m = 0; m < step->toy->passes; m++) {
        for (int way = 0; way < 2; way++) {
            SimTime end = r->pass_e[way][s][m];
            put(step, ops, dp, s, way == 0 ? STRAT_REPLAY_FORWARD : STRAT_REPLAY_BACKWARD,
                end - r->pass_d[way][s][m], end);
        }
        if (s + 1 < step->toy->pps) {
            put(step, ops, dp, s, STRAT_REPLAY_FORWARD_SEND, r->ready[0][0][s][m],
                r->half_e[0][0][s][m]);
            put(step, ops, dp, s, STRAT_REPLAY_BACKWARD_RECV, r->ready[1][1][s][m],
                r->half_e[1][1][s][m]);
        }
        if (s > 0) {
            put(step, ops, dp, s, STRAT_REPLAY_FORWARD_RECV, r->ready[0][1][s - 1][m],
                r->half_e[0][1][s - 1][m]);
            put(step, ops, dp, s, STRAT_REPLAY_BACKWARD_SEND, r->ready[1][0][s - 1][m],
                r->half_e[1][0][s - 1][m]);
        }
    }
}

/* The gradients meet over the replicas of a stage, the clip over everybody. Parameters do too, but
 * all are ready at once. Returns the end of the step. */
static SimTime put_tail(const Step *step, GArray *ops)
{
    const ToyTrace *toy = step->toy;
    SimTime all = 0, last = 0, ready[STAGES] = {0};
    for (int s = 0; s < toy->pps; s++)
        for (int dp = 0; dp < toy->dps; dp++)
            ready[s] = MAX(ready[s], step->replicas[dp].done_e[s]);
    for (int s = 0; s < toy->pps; s++)
        for (int dp = 0; dp < toy->dps; dp++)
            all = MAX(all, ready[s] + step->replicas[dp].scatter_d[s]);
    for (int dp = 0; dp < toy->dps; dp++) {
        const Replica *r = &step->replicas[dp];
        for (int s = 0; s < toy->pps; s++) {
            SimTime reduced = ready[s] + r->scatter_d[s], clipped = all + r->clip_d[s];
            put(step, ops, dp, s, STRAT_REPLAY_GRADS_SCATTER, r->done_e[s], reduced);
            put(step, ops, dp, s, STRAT_REPLAY_CLIP, reduced, clipped);
            put(step, ops, dp, s, STRAT_REPLAY_OPTIMIZER, clipped, clipped + r->optimizer_d[s]);
            last = MAX(last, clipped + r->optimizer_d[s]);
        }
    }
    return last;
}

GArray *toy_trace(const ToyTrace *toy, SimTime *step_ns)
{
    g_assert(toy->pps <= STAGES && toy->passes <= PASSES);
    GArray *ops = g_array_new(FALSE, FALSE, sizeof(StratReplayOp));
    SimRandom draws = sim_random_stream(toy->seed, "durations");
    g_autofree Replica *replicas = g_new(Replica, toy->dps);
    for (int64_t i = 0; i < toy->steps; i++) {
        const Step step = {.toy = toy, .replicas = replicas, .number = 10 * i};
        for (int dp = 0; dp < toy->dps; dp++)
            draw_replica(toy, &replicas[dp], &draws);
        settle(&step);
        for (int dp = 0; dp < toy->dps; dp++)
            for (int s = 0; s < toy->pps; s++)
                put_passes(&step, ops, dp, s);
        step_ns[i] = put_tail(&step, ops);
    }
    return ops;
}
