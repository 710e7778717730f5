/*
 * Operations a second of the executor on a pipeline schedule: GPipe, every microbatch forward on
 * every stage, then every one backward, with a send between neighbours. Times building, sealing and
 * running apart, with a closed-form net through the event queue and past it. Prints, never fails.
 * With
 * --quick, once each instead of five times.
 */
#include <stdio.h>
#include <string.h>

#include "sim_exec.h"

enum {
    STAGES = 64,
    MICRO = 512,
    REPEATS = 5,
};

static void begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    (void)net;
    sim_exec_finish_at(exec, token, now + 100 + transfer % 7);
}

typedef struct Shape {
    uint32_t forward_block, backward_block;
    uint16_t send_bucket, label;
    uint16_t down[STAGES], up[STAGES]; /* streams to the neighbours */
} Shape;

/* One pass over all stages of all microbatches, @step = +1 forward, -1 backward. */
static void add_pass(SimProgram *p, const Shape *shape, int step)
{
    for (uint32_t micro = 0; micro < MICRO; micro++) {
        uint32_t sent = UINT32_MAX;
        for (uint32_t i = 0; i < STAGES; i++) {
            uint32_t stage = step > 0 ? i : STAGES - 1 - i;
            SimOp op = {
                .rank_class = stage,
                .group = SIM_GROUP_NONE,
                .kind = SIM_OP_COMPUTE,
                .block = step > 0 ? shape->forward_block : shape->backward_block,
                .label = shape->label,
            };
            uint32_t compute = sim_program_add_op(p, &op);
            if (sent != UINT32_MAX)
                sim_program_add_dep(p, compute, sent);
            op.kind = SIM_OP_SEND;
            op.stream = step > 0 ? shape->down[stage] : shape->up[stage];
            op.bucket = shape->send_bucket;
            op.transfer = micro;
            sent = sim_program_add_op(p, &op);
            sim_program_add_dep(p, sent, compute);
        }
    }
}

static SimProgram *pipeline(void)
{
    SimProgram *p = sim_program_new();
    Shape shape = {.label = sim_program_label(p, "work")};
    shape.send_bucket = sim_program_bucket(p, "send");
    SimSegment segment = {.duration_ns = 1000, .bucket = sim_program_bucket(p, "compute")};
    shape.forward_block = sim_program_add_block(p, &segment, 1);
    segment.duration_ns = 2000;
    shape.backward_block = sim_program_add_block(p, &segment, 1);
    for (uint32_t i = 0; i < STAGES; i++) {
        sim_program_add_class(p, "stage", 8);
        shape.down[i] = sim_program_add_stream(p, i, "down");
        shape.up[i] = sim_program_add_stream(p, i, "up");
    }
    add_pass(p, &shape, 1);
    add_pass(p, &shape, -1);
    return p;
}

static double once(bool is_contention_free)
{
    int64_t t0 = g_get_monotonic_time();
    g_autoptr(SimProgram) p = pipeline();
    int64_t t1 = g_get_monotonic_time();
    if (!sim_program_seal(p, NULL))
        return 0;
    int64_t t2 = g_get_monotonic_time();
    SimNet net = {.begin = begin, .is_contention_free = is_contention_free};
    g_autoptr(SimRun) run = sim_exec_run(p, &net, NULL);
    int64_t t3 = g_get_monotonic_time();
    double ops = sim_program_op_count(p);
    printf("sim_exec %s: %.0f ops, build %.1f ms, seal %.1f ms, run %.1f ms, %.1f M ops/s run, "
           "%.1f M ops/s in all\n",
           is_contention_free ? "contention-free" : "queued         ", ops,
           (double)(t1 - t0) * 1e-3, (double)(t2 - t1) * 1e-3, (double)(t3 - t2) * 1e-3,
           ops / (double)(t3 - t2), ops / (double)(t3 - t0));
    return sim_time_to_seconds(run->makespan);
}

int main(int argc, char **argv)
{
    int repeats = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 1 : REPEATS;
    double makespan_s = 0;
    for (int i = 0; i < repeats; i++)
        makespan_s = once(false);
    for (int i = 0; i < repeats; i++)
        makespan_s = once(true);
    printf("sim_exec makespan %.9f s\n", makespan_s);
    return 0;
}
