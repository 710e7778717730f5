/* Clusters of two kinds of nodes, against what can be worked out by hand.
 *
 * Toy nodes of eight GPUs. The second kind has the same NICs and memory, and GPUs on which every
 * operation takes exactly twice as long: half the arithmetic, half the memory bandwidth, twice the
 * launch. Two replicas of which one is slow then take the step of two slow ones. Of two stages, one
 * slow, each microbatch costs what the slow stage takes, as one slow GPU's stage does
 * (test_slow_gpu.c). A group on both kinds moves its bytes at the slower NIC's rate. */
#include "toy_plans.h"

#include "strat_deal.h"
#include "strat_places.h"

#include <criterion/criterion.h>

#include <string.h>

/* A toy world whose last @gpus GPUs are @slower times slower; profiles are borrowed from @slow. */
typedef struct Mixed {
    ToyWorld world;
    KernProfile profile;
} Mixed;

static void slow_down(TopoNode *node, KernProfile *profile, double by)
{
    node->gpu.name = "slow-gpu";
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        node->gpu.peak_flop_per_s[t] /= by;
    node->gpu.memory_bytes_per_s /= by;
    profile->memory.launch_s *= by;
    profile->attention.launch_s *= by;
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        profile->gemm[t].launch_s *= by;
}

/* Two nodes, the second of GPUs @by times as slow. */
static Mixed mixed_world(int64_t tensor, int64_t pipeline, int64_t data, int64_t microbatches,
                         double by)
{
    Mixed mixed = {.world = toy_world()};
    ToyWorld *world = &mixed.world;
    world->plan.tensor = tensor;
    world->plan.pipeline = pipeline;
    toy_lay_out(world, data, microbatches);
    cr_assert_eq(world->cluster.node_count, 2);
    mixed.profile = world->profile;
    world->cluster.mixed = (TopoMixed){.node = world->cluster.node, .gpus = 8};
    slow_down(&world->cluster.mixed.node, &mixed.profile, by);
    return mixed;
}

static StratCosting costing_of(const Mixed *mixed)
{
    StratCosting costing = toy_costing(&mixed->world);
    costing.mixed_device = costing.device;
    costing.mixed_device.gpu = &mixed->world.cluster.mixed.node.gpu;
    costing.mixed_device.profile = &mixed->profile;
    return costing;
}

/* The step of @costing; every rank by itself gives the same. */
static SimTime step_ns(const StratCosting *costing)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) folded = strat_train_run(costing, true, &error);
    cr_assert(folded, "%s", error ? error->message : "");
    g_autoptr(StratTrainResult) whole = strat_train_run(costing, false, &error);
    cr_assert(whole, "%s", error ? error->message : "");
    cr_expect_eq(folded->step_ns, whole->step_ns, "folded and not");
    cr_expect_lt(folded->classes, whole->classes);
    cr_expect_eq(toy_ledger_sum(folded), folded->step_ns * folded->gpus);
    return folded->step_ns;
}

/* The step where both nodes are of the second kind. */
static SimTime all_slow_ns(const Mixed *mixed)
{
    Mixed slow = *mixed;
    slow.world.cluster.node = slow.world.cluster.mixed.node;
    slow.world.cluster.mixed.gpus = 0;
    slow.world.profile = slow.profile;
    StratCosting costing = toy_costing(&slow.world);
    return step_ns(&costing);
}

static SimTime all_fast_ns(const Mixed *mixed)
{
    StratCosting costing = toy_costing(&mixed->world);
    TopoCluster cluster = mixed->world.cluster;
    cluster.mixed.gpus = 0;
    costing.cluster = &cluster;
    return step_ns(&costing);
}

Test(mixed_nodes, replicas_of_two_kinds_take_the_step_of_the_slower)
{
    for (int zero = 0; zero <= 3; zero++) {
        Mixed mixed = mixed_world(8, 1, 2, 4, 2.0);
        mixed.world.plan.zero_stage = zero;
        StratCosting costing = costing_of(&mixed);
        SimTime both = step_ns(&costing);
        cr_expect_eq(both, all_slow_ns(&mixed), "zero %d", zero);
        cr_expect_gt(both, all_fast_ns(&mixed), "zero %d", zero);
    }
}

Test(mixed_nodes, a_second_kind_like_the_first_changes_nothing)
{
    for (int64_t pipeline = 1; pipeline <= 2; pipeline++) {
        Mixed mixed = mixed_world(4, pipeline, 4 / pipeline, 4, 1.0);
        StratCosting costing = costing_of(&mixed);
        cr_expect_eq(step_ns(&costing), all_fast_ns(&mixed));
        g_autoptr(StratTrainResult) run = strat_train_run(&costing, true, NULL);
        cr_expect_eq(run->peak_flop_per_s, 1e14);
    }
}

/* 1F1B of two stages and m microbatches, sends that take no time: with the slow stage at the end of
 * passes s and the fast one of f, T = f_forward + m s + f_backward, and then the optimizers, of
 * which the slow stage's starts f_backward before the first one's. */
Test(mixed_nodes, of_two_stages_the_slow_one_sets_the_pace)
{
    SimTime step[2];
    for (int more = 0; more < 2; more++) {
        Mixed mixed = mixed_world(8, 2, 1, 8 + 8 * more, 2.0);
        mixed.world.plan.optimizer = STRAT_OPTIMIZER_NONE;
        StratCosting costing = costing_of(&mixed);
        costing.net = &toy_free_net;
        step[more] = step_ns(&costing);
    }
    Mixed slow = mixed_world(8, 2, 1, 8, 2.0);
    slow.world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    StratCosting costing = costing_of(&slow);
    StratModelChunk last = strat_chunk_at(costing.model, costing.plan, 1, 0);
    last.tensor_per_domain = last.context_per_domain = last.expert_per_domain = 8;
    last.kind = TOPO_KIND_SECOND;
    costing.net = &toy_free_net;
    StratOwnCosting room;
    const StratCosting *own = strat_costing_of_kind(&costing, last.kind, &room);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(own, &last, spans);
    strat_cost_backward(own, &last, STRAT_BACKWARD_WHOLE, spans);
    double pass_s = 0.0;
    for (guint i = 0; i < spans->len; i++)
        pass_s += g_array_index(spans, StratSpan, i).seconds;
    double more_s = sim_time_to_seconds(step[1] - step[0]);
    cr_expect_float_eq(more_s, 8.0 * pass_s, 1e-6, "%g and %g", more_s, 8.0 * pass_s);
}

Test(mixed_nodes, what_crosses_goes_at_the_slower_nics_rate)
{
    Mixed mixed = mixed_world(8, 1, 2, 1, 1.0);
    TopoCluster *cluster = &mixed.world.cluster;
    cluster->mixed.node.nic_bytes_per_s /= 4.0;
    const TopoNet *net = topo_net_by_name(NULL, NULL);
    TopoTransfer send = {.op = TOPO_OP_SEND, .ranks = 2, .ranks_per_domain = 1, .bytes = 1e9};
    double first = net->seconds(cluster, &send);
    send.kind = TOPO_KIND_SECOND;
    double second = net->seconds(cluster, &send);
    send.kind = TOPO_KIND_BETWEEN;
    cr_expect_float_eq(first, 0.1, 1e-9);
    cr_expect_float_eq(second, 0.4, 1e-9);
    cr_expect_eq(net->seconds(cluster, &send), second);
    StratCosting costing = costing_of(&mixed);
    cr_expect_eq(step_ns(&costing), all_slow_ns(&mixed), "the reduction is the slow one's");
    StratPlaces places = strat_places_of(&costing);
    cr_expect_eq(strat_position(&places, costing.plan, 0).data_kind, TOPO_KIND_BETWEEN);
    cr_expect_eq(strat_position(&places, costing.plan, 8).kind, TOPO_KIND_SECOND);
}

Test(mixed_nodes, memory_is_that_of_the_stages_own_kind)
{
    Mixed mixed = mixed_world(8, 2, 1, 4, 1.0);
    StratCosting costing = costing_of(&mixed);
    g_autoptr(GArray) fits = strat_memory_stages(&costing);
    double need = g_array_index(fits, StratMemory, 1).peak_bytes;
    mixed.world.cluster.mixed.node.gpu.memory_bytes = need - 1e6;
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    g_autoptr(GError) error = NULL;
    cr_expect_eq(strat_memory_worst_stage(stages), 1u);
    cr_expect_not(strat_memory_check(&costing, stages, &error));
    cr_expect(error && strstr(error->message, "stage 1 needs") &&
                  strstr(error->message, "of GPU slow-gpu"),
              "%s", error ? error->message : "fits");
}

Test(mixed_nodes, a_group_in_step_is_on_one_kind)
{
    Mixed mixed = mixed_world(8, 1, 2, 1, 1.0);
    mixed.world.plan.tensor = 16;
    mixed.world.plan.data = 1;
    StratCosting costing = costing_of(&mixed);
    g_autoptr(GError) error = NULL;
    cr_expect_null(strat_train_run(&costing, true, &error));
    cr_expect(error &&
              strstr(error->message, "the tensor group of rank 0 is on nodes of two kinds"));
}

Test(mixed_nodes, microbatches_by_speed_are_dealt_two_to_one)
{
    for (int zero = 0; zero <= 1; zero++) {
        Mixed mixed = mixed_world(8, 1, 2, 6, 2.0);
        mixed.world.plan.optimizer = STRAT_OPTIMIZER_NONE;
        mixed.world.plan.zero_stage = zero;
        StratCosting costing = costing_of(&mixed);
        costing.net = &toy_free_net;
        SimTime even = step_ns(&costing);
        mixed.world.plan.replica_microbatches = STRAT_DEAL_BY_SPEED;
        SimTime dealt = step_ns(&costing);
        g_autoptr(StratTrainResult) run = strat_train_run(&costing, true, NULL);
        cr_assert_eq(run->dealt_count, 2);
        cr_expect_eq(run->dealt[0], 8);
        cr_expect_eq(run->dealt[1], 4);
        /* Nothing but passes: 4 of them instead of 6 on the slow replica, as long as 8 on the fast
         * one, whose pieces are rounded to whole nanoseconds each. */
        cr_expect_float_eq((double)dealt / (double)even, 4.0 / 6.0, 1e-5, "%.9f",
                           (double)dealt / (double)even);
    }
}

/* Each pair of stages is one replica on one node: (m + 1) t of the pipeline's fill included, 9 of
 * 12 microbatches to the fast one would end at 10, 3 at 8; 8 and 4 at 9 and 10: both are best. */
Test(mixed_nodes, dealing_minds_the_pipelines_fill_and_keeps_the_sum)
{
    static const struct {
        double seconds[3];
        int64_t count, stages, total, want[3];
    } cases[] = {
        {{1.0, 2.0},      2, 1, 12, {8, 4}   },
        {{1.0, 2.0},      2, 1, 13, {9, 4}   },
        {{1.0, 1.0, 2.0}, 3, 1, 10, {4, 4, 2}},
        {{1.0, 1.0, 2.0}, 3, 1, 9,  {4, 4, 1}},
        {{1.0, 2.0},      2, 4, 12, {9, 3}   },
        {{1.0, 9.0},      2, 1, 2,  {1, 1}   },
        {{1.0, 9.0},      2, 8, 4,  {3, 1}   },
        {{1.0, 1.0, 1.0}, 3, 2, 9,  {3, 3, 3}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t dealt[3] = {0}, sum = 0;
        strat_deal_out(cases[i].seconds, cases[i].count, cases[i].stages, cases[i].total, dealt);
        for (int64_t d = 0; d < cases[i].count; d++) {
            cr_expect_eq(dealt[d], cases[i].want[d], "case %zu, replica %d: %d", i, (int)d,
                         (int)dealt[d]);
            sum += dealt[d];
        }
        cr_expect_eq(sum, cases[i].total, "case %zu", i);
    }
}

Test(mixed_nodes, a_pipeline_with_more_microbatches_holds_more_of_them)
{
    Mixed mixed = mixed_world(2, 4, 2, 2, 2.0);
    StratCosting costing = costing_of(&mixed);
    int64_t gpus[16];
    for (int64_t r = 0; r < 16; r++) /* a replica a node */
        gpus[r] = (r / 2 % 2) * 8 + r / 4 * 2 + r % 2;
    costing.gpu_of_rank = gpus;
    g_autoptr(GArray) even = strat_memory_stages(&costing);
    mixed.world.plan.replica_microbatches = STRAT_DEAL_BY_SPEED;
    g_autoptr(GArray) dealt = strat_memory_stages(&costing);
    cr_expect_eq(g_array_index(even, StratMemory, 0).in_flight, 2.0);
    cr_expect_eq(g_array_index(dealt, StratMemory, 0).in_flight, 3.0);
    cr_expect_gt(step_ns(&costing), 0);
}
