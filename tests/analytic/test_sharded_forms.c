/* ZeRO-2, ZeRO-3 and HSDP against what can be worked out by hand.
 *
 * Memory (Rajbhandari 2020, section 3 and figure 1): P parameters in 16 bits with 16-bit gradients
 * and 12 bytes of Adam, over S ranks: 16 P, then 4 P + 12 P / S, 2 P + 14 P / S, 16 P / S. With
 * S = 64 and 7.5 billion parameters the paper prints 120, 31.4, 16.6 and 1.9 GB.
 *
 * Time: L equal layers of forward f and backward b, gathers of g and reductions of r on a stream of
 * their own, one gather ahead:
 *
 *   forward   g + (L - 1) max(f, g) + f
 *   backward  g + L b + r       where the stream keeps up: g + r < b
 *             L (g + r)         where it never rests: b < g and b < r
 *
 * and without overlap all of it: L (f + b + 2 g + r). Over S ranks of n copies, r is a reduction
 * within the copy and a of a part of 1 / S over the copies. */
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

enum {
    LAYERS = 6,
    RANKS = 8,
};

/* The times of a layer of @world and of what it moves. */
typedef struct Times {
    double forward, backward, gather, reduce, copies, optimizer;
} Times;

static ToyWorld world_of(int64_t data, bool overlap)
{
    ToyWorld world = toy_world();
    world.model.layers = LAYERS;
    world.model.vocab = 0;
    world.plan.zero_stage = 3;
    world.plan.reshard_after_forward = true;
    world.plan.prefetch = 1;
    world.plan.overlap_data = overlap;
    toy_lay_out(&world, data, 1);
    return world;
}

static double sum_s(const GArray *spans)
{
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++)
        sum += g_array_index(spans, StratSpan, i).seconds;
    return sum;
}

static double move_s(const StratCosting *costing, TopoCollectiveOp op, int64_t ranks,
                     int64_t per_domain, double bytes)
{
    TopoTransfer transfer = {
        .op = op, .ranks = ranks, .ranks_per_domain = per_domain, .bytes = bytes};
    return costing->net->seconds(costing->cluster, &transfer);
}

static Times times_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    double params = strat_chunk_params(&world->model, &world->plan, &layer);
    int64_t shards = strat_shard_ranks(&world->plan), copies = world->plan.data / shards;
    double part = params / (double)shards, count = (double)world->model.layers;
    g_autoptr(GArray) forward = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    g_autoptr(GArray) backward = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, &layer, forward);
    strat_cost_backward(&costing, &layer, STRAT_BACKWARD_WHOLE, backward);
    return (Times){
        .forward = sum_s(forward),
        .backward = sum_s(backward),
        .gather = move_s(&costing, TOPO_OP_ALL_GATHER, shards, shards, 2.0 * params),
        .reduce = move_s(&costing, TOPO_OP_REDUCE_SCATTER, shards, shards, 4.0 * params),
        .copies = copies > 1 ? move_s(&costing, TOPO_OP_ALL_REDUCE, copies, 1, 4.0 * part) : 0.0,
        .optimizer = strat_cost_optimizer_s(&costing, count * part, count * part),
    };
}

static StratTrainResult *run(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(&costing, true, &error);
    cr_assert(result, "%s", error ? error->message : "");
    cr_expect(toy_ledger_sum(result) == result->step_ns * result->gpus, "every GPU-ns has a place");
    return result;
}

static void expect_step(const ToyWorld *world, double want_s)
{
    g_autoptr(StratTrainResult) result = run(world);
    double got_s = sim_time_to_seconds(result->step_ns);
    cr_expect_float_eq(got_s, want_s, 2e-9 * 40 * LAYERS, "%.9g s, not %.9g s", got_s, want_s);
}

Test(sharded_forms, gathers_hide_under_layers_but_the_first_of_each_pass)
{
    ToyWorld world = world_of(RANKS, true);
    world.plan.micro_batch = 8;
    toy_lay_out(&world, RANKS, 1);
    Times t = times_of(&world);
    cr_assert(t.gather < t.forward && t.gather + t.reduce < t.backward, "compute sets the pace");
    expect_step(&world, t.gather + LAYERS * t.forward + t.gather + LAYERS * t.backward + t.reduce +
                            t.optimizer);
}

Test(sharded_forms, layers_hide_under_gathers_that_are_longer)
{
    ToyWorld world = world_of(RANKS, true);
    world.cluster.node.scale_up_bytes_per_s = 1e8;
    Times t = times_of(&world);
    cr_assert(t.forward < t.gather && t.backward < t.gather && t.backward < t.reduce);
    expect_step(&world,
                LAYERS * t.gather + t.forward + LAYERS * (t.gather + t.reduce) + t.optimizer);
}

Test(sharded_forms, without_overlap_all_of_it_is_bare)
{
    ToyWorld world = world_of(RANKS, false);
    Times t = times_of(&world);
    expect_step(&world,
                LAYERS * (t.forward + t.backward + 2.0 * t.gather + t.reduce) + t.optimizer);
}

Test(sharded_forms, copies_add_their_parts_of_the_gradients)
{
    ToyWorld world = world_of(4 * RANKS, false);
    world.plan.shard = RANKS;
    Times t = times_of(&world);
    cr_assert(t.copies > 0.0);
    expect_step(&world, LAYERS * (t.forward + t.backward + 2.0 * t.gather + t.reduce + t.copies) +
                            t.optimizer);
}

/* Gathers beside forwards and gathers and reductions beside backwards take a share of the compute:
 * of a unit of f beside c seconds min(s c, s / (1 - s) f). The first forward computes beside the
 * second gather, the last beside none: the last unit is not gathered again. The first backward is
 * beside one gather, the last beside one reduction, the others beside both. */
Test(sharded_forms, compute_beside_collectives_is_slower)
{
    ToyWorld world = world_of(RANKS, true);
    world.plan.micro_batch = 8;
    toy_lay_out(&world, RANKS, 1);
    Times t = times_of(&world);
    double share = 0.25, most = share / (1.0 - share);
    double want =
        t.gather + LAYERS * t.forward + t.gather + LAYERS * t.backward + t.reduce + t.optimizer;
    double lost = (LAYERS - 1.0) * fmin(share * t.gather, most * t.forward) +
                  (LAYERS - 2.0) * fmin(share * (t.gather + t.reduce), most * t.backward) +
                  fmin(share * t.gather, most * t.backward) +
                  fmin(share * t.reduce, most * t.backward);
    world.plan.comm_slowdown = share;
    g_autoptr(StratTrainResult) result = run(&world);
    double got = sim_time_to_seconds(result->step_ns);
    cr_assert(lost > 0.01 * want);
    cr_expect_float_eq(got, want + lost, 2e-6 * want, "%.9g s, not %.9g s", got, want + lost);
}

Test(sharded_forms, gathers_that_use_a_part_of_the_nics_take_longer)
{
    ToyWorld world = world_of(4 * RANKS, false);
    g_autoptr(StratTrainResult) all = run(&world);
    world.plan.data_nic_fraction = 0.5;
    g_autoptr(StratTrainResult) half = run(&world);
    StratCosting costing = toy_costing(&world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    double params = strat_chunk_params(&world.model, &world.plan, &layer);
    double more = 2.0 * move_s(&costing, TOPO_OP_ALL_GATHER, 4 * RANKS, RANKS, 2.0 * params) +
                  move_s(&costing, TOPO_OP_REDUCE_SCATTER, 4 * RANKS, RANKS, 4.0 * params);
    double got = sim_time_to_seconds(half->step_ns - all->step_ns);
    cr_expect_float_eq(got, LAYERS * more, 1e-3 * LAYERS * more, "%g s, not %g s", got,
                       LAYERS * more);
}

/* Tensors of the toy GPT: two of attention, two of the MLP and two norms a layer, and three. */
Test(sharded_forms, owners_broadcast_their_tensors_rank_by_rank)
{
    static const int64_t counts[] = {RANKS, 8 * RANKS};
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        ToyWorld world = world_of(counts[i], true);
        world.plan.zero_stage = 1;
        world.plan.owner_hop_s = 10e-6;
        g_autoptr(StratTrainResult) quick = run(&world);
        world.plan.owner_hop_s = 30e-6;
        g_autoptr(StratTrainResult) slow = run(&world);
        int64_t owners = MIN(counts[i], 6 * LAYERS + 3);
        double want = (double)(owners * (counts[i] - 1)) * 20e-6;
        double got = sim_time_to_seconds(slow->step_ns - quick->step_ns);
        cr_expect_float_eq(got, want, 2e-9, "%d ranks: %g s, not %g s", (int)counts[i], got, want);
    }
}

/* Operations of one class called @label. */
static int64_t count_of(const ToyWorld *world, const char *label)
{
    g_autoptr(StratTrainResult) result = run(world);
    const SimProgram *program = result->step->program;
    int64_t count = 0;
    for (uint32_t i = 0; i < sim_program_op_count(program); i++) {
        const SimOp *op = sim_program_op(program, i);
        count +=
            op->rank_class == 0 && g_str_equal(sim_program_label_name(program, op->label), label);
    }
    return count;
}

Test(sharded_forms, every_microbatch_gathers_and_reduces_what_the_plan_throws_away)
{
    static const struct {
        bool reshard, no_sync;
        int64_t gathers, reductions; /* of a layer, in four microbatches */
    } cases[] = {
        {true,  false, 8, 4},
        {false, false, 4, 4},
        {true,  true,  8, 1},
        {false, true,  1, 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = world_of(RANKS, true);
        toy_lay_out(&world, RANKS, 4);
        world.plan.reshard_after_forward = cases[i].reshard;
        world.plan.no_sync = cases[i].no_sync;
        cr_expect(count_of(&world, "gather parameters") == LAYERS * cases[i].gathers, "case %d",
                  (int)i);
        cr_expect(count_of(&world, "reduce gradients") == LAYERS * cases[i].reductions, "case %d",
                  (int)i);
    }
}

static StratMemory memory_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    return g_array_index(stages, StratMemory, 0);
}

static double state_bytes(const ToyWorld *world)
{
    StratMemory memory = memory_of(world);
    return memory.weights_bytes + memory.gradients_bytes + memory.optimizer_bytes;
}

static double params_of(const ToyWorld *world)
{
    StratModelChunk all = strat_chunk_at(&world->model, &world->plan, 0, 0);
    return strat_chunk_params(&world->model, &world->plan, &all);
}

Test(sharded_forms, memory_is_that_of_the_zero_paper)
{
    static const double published_gb[] = {120.0, 31.4, 16.6, 1.9};
    static const double bytes[][2] = {
        {16.0, 0.0 },
        {4.0,  12.0},
        {2.0,  14.0},
        {0.0,  16.0},
    };
    ToyWorld world = world_of(64, true);
    world.plan.gradients = TOPO_DTYPE_BF16;
    double params = params_of(&world);
    for (int stage = 0; stage <= 3; stage++) {
        world.plan.zero_stage = stage;
        double want = params * (bytes[stage][0] + bytes[stage][1] / 64.0),
               got = state_bytes(&world);
        cr_expect_float_eq(got, want, 1e-9 * want, "ZeRO-%d: %g, not %g", stage, got, want);
        cr_expect_float_eq(got / params * 7.5, published_gb[stage], 0.06, "ZeRO-%d as printed",
                           stage);
    }
}

Test(sharded_forms, fsdp_keeps_sixteen_bytes_in_fp32_and_gathers_two_layers)
{
    ToyWorld world = world_of(RANKS, true);
    world.plan.fp32_parameters = true;
    double params = params_of(&world), layer = params / LAYERS;
    cr_expect_float_eq(state_bytes(&world), 16.0 * params / RANKS, 1.0);
    double want = 2.0 * 2.0 * layer + (2.0 + 4.0) * layer, workspace;
    workspace = memory_of(&world).workspace_bytes;
    cr_expect_float_eq(workspace, want, 1.0, "two layers, and gradients of one twice");
    world.plan.reshard_after_forward = false;
    workspace = memory_of(&world).workspace_bytes;
    cr_expect_float_eq(workspace, 2.0 * params + (2.0 + 4.0) * layer, 1.0, "all layers");
    world.plan.no_sync = true;
    cr_expect_float_eq(memory_of(&world).gradients_bytes, 4.0 * params / RANKS + 4.0 * params, 1.0);
    cr_expect_float_eq(memory_of(&world).workspace_bytes, 2.0 * params, 1.0);
}

Test(sharded_forms, copies_hold_more_than_one_shard_over_all)
{
    ToyWorld world = world_of(4 * RANKS, true);
    double all = state_bytes(&world);
    world.plan.shard = RANKS;
    cr_expect_float_eq(state_bytes(&world), 4.0 * all, 1.0);
}
