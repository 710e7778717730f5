/* Breadth-first pipelines (Lamy-Poirier 2023, arXiv 2211.05953): all microbatches pass a chunk
 * before the next one, so a chunk's gradients are final while the others still compute, and sharded
 * weights are gathered twice a step and chunk, however many microbatches there are. */
#include "strat_layout.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>

enum {
    STAGES = 4,
    CHUNKS = 4,
    LAYERS = 2 /* of a chunk */,
    REDUCTION = 7 /* backwards */,
    FORWARD_NS = 200000,
    BACKWARD_NS = 400000
};

/* Two replicas of a looping pipeline. */
static ToyWorld breadth_world(const char *schedule, int64_t microbatches)
{
    ToyWorld world = toy_world();
    StratPlan *plan = &world.plan;
    plan->pipeline = STAGES;
    plan->virtual_stages = CHUNKS;
    plan->overlap_data = true;
    plan->overlap_pipeline = true;
    world.model.layers = STAGES * CHUNKS * LAYERS;
    world.model.vocab = 0;
    toy_lay_out(&world, 2, microbatches);
    plan->schedule = schedule;
    return world;
}

static StratTrainResult *run(const StratCosting *costing)
{
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(costing, true, &error);
    cr_assert(result, "%s", error ? error->message : "no result");
    return result;
}

/* A network on which a chunk's reduction takes seven of its backwards, and sends nothing. */
static double slow_reduction(const TopoCluster *cluster, const TopoTransfer *transfer)
{
    (void)cluster;
    return transfer->op == TOPO_OP_SEND ? 0.0 : REDUCTION * BACKWARD_NS * 1e-9;
}

static const TopoNet slow_net = {.name = "slow", .source = "none", .seconds = slow_reduction};

static int64_t exposed_ns(const char *schedule)
{
    ToyWorld world = breadth_world(schedule, 8);
    world.plan.profiled = (StratProfiled){.forward_s = CHUNKS * FORWARD_NS * 1e-9,
                                          .backward_input_s = CHUNKS * BACKWARD_NS * 1e-9};
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) without = NULL;
    costing.net = &toy_free_net;
    without = run(&costing);
    costing.net = &slow_net;
    g_autoptr(StratTrainResult) with = run(&costing);
    return with->step_ns - without->step_ns;
}

Test(breadth_first, only_the_last_chunks_reduction_is_bare)
{
    int64_t bare = exposed_ns("breadth-first");
    cr_expect(bare == REDUCTION * BACKWARD_NS, "%" PRId64, bare);
    /* Interleaved, chunks end a round of four backwards apart, so that each reduction begins when
     * the one before is over: of four, those 28 backwards less the 12 between first and last. */
    bare = exposed_ns("interleaved-1f1b");
    cr_expect(bare == (CHUNKS * REDUCTION - (CHUNKS - 1) * STAGES) * BACKWARD_NS, "%" PRId64, bare);
}

static uint32_t count_ops(const StratTrainResult *result, const char *label)
{
    const SimProgram *program = result->step->program;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim_program_op_count(program); i++)
        count +=
            g_str_equal(sim_program_label_name(program, sim_program_op(program, i)->label), label);
    return count;
}

/* Operations of a step of @microbatches with sharded weights, on each of the classes. */
static void count_sharded(const char *schedule, int64_t microbatches, uint32_t *gathers,
                          uint32_t *reductions)
{
    ToyWorld world = breadth_world(schedule, microbatches);
    world.plan.zero_stage = 3;
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) result = run(&costing);
    *gathers = count_ops(result, "gather parameters") / (uint32_t)result->classes;
    *reductions = count_ops(result, "reduce gradients") / (uint32_t)result->classes;
}

Test(breadth_first, sharded_weights_are_gathered_twice_a_step_and_not_for_each_microbatch)
{
    uint32_t gathers, reductions;
    for (int64_t m = 4; m <= 16; m *= 2) {
        /* The last chunk's forwards are followed by its own backwards. */
        count_sharded("breadth-first", m, &gathers, &reductions);
        cr_expect(gathers == LAYERS * (2 * CHUNKS - 1), "%u gathers of %d microbatches", gathers,
                  (int)m);
        cr_expect(reductions == LAYERS * CHUNKS, "%u reductions", reductions);
        count_sharded("interleaved-1f1b", m, &gathers, &reductions);
        cr_expect(gathers > (uint32_t)(LAYERS * CHUNKS * m), "%u gathers", gathers);
        cr_expect(reductions == (uint32_t)(LAYERS * CHUNKS * m), "%u reductions", reductions);
    }
}

Test(breadth_first, all_microbatches_are_held_and_a_chunk_is_whole)
{
    ToyWorld world = breadth_world("breadth-first", 8), one = world;
    world.plan.zero_stage = one.plan.zero_stage = 3;
    one.plan.virtual_stages = 1;
    one.plan.schedule = "gpipe";
    StratCosting costing = toy_costing(&world), gpipe = toy_costing(&one);
    g_autoptr(GArray) a = strat_memory_stages(&costing), b = strat_memory_stages(&gpipe);
    for (guint s = 0; s < STAGES; s++) {
        const StratMemory *x = &g_array_index(a, StratMemory, s);
        const StratMemory *y = &g_array_index(b, StratMemory, s);
        cr_expect(fabs(x->activations_bytes - y->activations_bytes) < 1e-6 * y->activations_bytes);
        cr_expect(x->in_flight == 8.0 * CHUNKS);
    }
}
