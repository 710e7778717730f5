/* How replicas agree, against what can be worked out by hand.
 *
 * Buckets: L equal layers whose backward takes b each, reductions of r for a layer on a stream of
 * their own. One layer a bucket, the step is longer than without reductions by
 *
 *   r                     where b >= r: only the last reduction is bare
 *   b + L r - L b         where r > b: the stream never rests once the last layer is done
 *
 * Servers: 2 M N / (S b) for push and pull, M N / (S b) pipelined, 2 (N - 1) M / (N b) with a
 * server on each node (Jiang 2020, BytePS, section 2.2: as much as an all-reduce). Gossip takes as
 * long for any number of replicas. Compressed gradients take their bytes. */
#include "strat_agree.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

enum { LAYERS = 6 };

/* One GPU a node, so that all traffic crosses NICs of @rate. */
static ToyWorld world_of(int64_t data, double rate)
{
    ToyWorld world = toy_world();
    world.model.layers = LAYERS;
    world.model.vocab = 0;
    world.model.position = MODEL_POSITION_ROTARY;
    world.plan.overlap_data = true;
    world.cluster.node.gpus = world.cluster.node.nics = world.cluster.node.scale_up_gpus = 1;
    world.cluster.node.nic_bytes_per_s = rate;
    toy_lay_out(&world, data, 1);
    return world;
}

static double step_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert(result, "%s", error ? error->message : "");
    cr_expect_eq(toy_ledger_sum(result), result->gpus * result->step_ns);
    return sim_time_to_seconds(result->step_ns);
}

/* The step on a network that costs nothing. */
static double free_s(const ToyWorld *world)
{
    ToyWorld fast = *world;
    fast.plan.data_parallel = (StratDataParallel){.buckets = world->plan.data_parallel.buckets};
    StratCosting costing = toy_costing(&fast);
    costing.net = &toy_free_net;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    return sim_time_to_seconds(result->step_ns);
}

static double layer_params(const ToyWorld *world)
{
    StratModelChunk layer = {.layers = 1};
    return strat_chunk_params(&world->model, &world->plan, &layer);
}

static double layer_backward_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_backward(&costing, &layer, STRAT_BACKWARD_WHOLE, spans);
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++)
        sum += g_array_index(spans, StratSpan, i).seconds;
    return sum;
}

Test(data_parallel, a_bucket_a_layer_leaves_the_last_reduction_or_the_queue)
{
    static const double rates[] = {1e12, 1e10, 1e9};
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        ToyWorld world = world_of(4, rates[i]);
        double params = layer_params(&world), back = layer_backward_s(&world);
        double bytes = params * topo_dtype_bytes(world.plan.gradients);
        world.plan.data_parallel.buckets.bytes = bytes;
        StratCosting costing = toy_costing(&world);
        TopoTransfer layer = {
            .op = TOPO_OP_ALL_REDUCE, .ranks = 4, .ranks_per_domain = 1, .bytes = bytes};
        double reduce = costing.net->seconds(&world.cluster, &layer);
        double bare = reduce <= back ? reduce : back + LAYERS * (reduce - back);
        double got = step_s(&world) - free_s(&world);
        cr_expect(fabs(got - bare) < 20e-9, "rate %g: %.9g s bare, not %.9g", rates[i], got, bare);
    }
}

Test(data_parallel, buckets_of_n_layers_or_of_parts_of_one)
{
    ToyWorld world = world_of(4, 1e10);
    double bytes = layer_params(&world) * topo_dtype_bytes(world.plan.gradients);
    static const struct {
        double layers;
        int64_t reductions;
    } cases[] = {
        {6.0,  1 },
        {3.0,  2 },
        {2.0,  3 },
        {1.0,  6 },
        {0.5,  12},
        {0.25, 24},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        world.plan.data_parallel.buckets.bytes = cases[i].layers * bytes;
        StratCosting costing = toy_costing(&world);
        g_autoptr(StratStep) step = strat_compile(&costing, true, NULL);
        int64_t count = 0;
        for (uint32_t op = 0; op < sim_program_op_count(step->program); op++)
            count += sim_program_op(step->program, op)->kind == SIM_OP_COLLECTIVE;
        cr_expect_eq(count, cases[i].reductions, "%g layers: %d", cases[i].layers, (int)count);
    }
}

Test(data_parallel, a_small_first_bucket_starts_sooner)
{
    ToyWorld world = world_of(4, 1e9);
    double bytes = layer_params(&world) * topo_dtype_bytes(world.plan.gradients);
    world.plan.data_parallel.buckets.bytes = 3.0 * bytes;
    double late = step_s(&world);
    world.plan.data_parallel.buckets.first_bytes = bytes;
    double back = layer_backward_s(&world), soon = step_s(&world);
    /* Wires are slow: the reductions queue from the first full bucket on, two layers sooner. */
    cr_expect(fabs(late - soon - 2.0 * back) < 50e-9, "%.9g sooner, not %.9g", late - soon,
              2.0 * back);
}

/* Exposed seconds of servers without anything to hide under. */
static double served_s(const ToyWorld *world)
{
    return step_s(world) - free_s(world);
}

static ToyWorld served_world(int64_t workers, int64_t servers)
{
    ToyWorld world = world_of(workers, 1e10);
    world.plan.overlap_data = false;
    world.plan.data_parallel.exchange = "parameter-server";
    world.plan.data_parallel.servers.count = servers;
    return world;
}

/* Servers have the optimizer, so the step loses its time. */
static double optimizer_s(const ToyWorld *world)
{
    ToyWorld whole = *world;
    whole.plan.data_parallel = (StratDataParallel){0};
    StratCosting costing = toy_costing(&whole);
    double params = LAYERS * layer_params(world);
    return strat_cost_optimizer_s(&costing, params, params);
}

Test(data_parallel, synchronous_servers_expose_2mn_over_sb)
{
    static const int64_t servers[] = {1, 2, 4};
    for (size_t i = 0; i < G_N_ELEMENTS(servers); i++) {
        ToyWorld world = served_world(8, servers[i]);
        double bytes = LAYERS * layer_params(&world) * topo_dtype_bytes(world.plan.gradients);
        double want = 2.0 * bytes * 8.0 / ((double)servers[i] * 1e10);
        double got = served_s(&world) + optimizer_s(&world);
        cr_expect(fabs(got / want - 1.0) < 1e-6, "%d servers: %.9g s, not %.9g", (int)servers[i],
                  got, want);
        world.plan.data_parallel.servers.pipelined = true;
        got = served_s(&world) + optimizer_s(&world);
        cr_expect(fabs(got / want - 0.5) < 1e-6, "pipelined: %.9g of %.9g s", got, want);
    }
}

Test(data_parallel, a_server_on_each_node_is_an_all_reduce)
{
    ToyWorld world = served_world(8, 8);
    double bytes = LAYERS * layer_params(&world) * topo_dtype_bytes(world.plan.gradients);
    world.plan.data_parallel.servers.colocated = true;
    double want = 2.0 * 7.0 / 8.0 * bytes / 1e10; /* wires of the toy world have no latency */
    double got = served_s(&world) + optimizer_s(&world);
    cr_expect(fabs(got / want - 1.0) < 1e-6, "%.9g s, not %.9g", got, want);
}

Test(data_parallel, gossip_takes_as_long_for_any_number)
{
    double last = 0.0, reduced = 0.0;
    for (int64_t data = 4; data <= 64; data *= 4) {
        ToyWorld world = world_of(data, 1e10);
        world.plan.overlap_data = false;
        double all = step_s(&world) - free_s(&world);
        world.plan.data_parallel.exchange = "gossip-one";
        double got = step_s(&world) - free_s(&world);
        double want = LAYERS * layer_params(&world) * topo_dtype_bytes(world.plan.precision) / 1e10;
        cr_expect(fabs(got / want - 1.0) < 1e-6, "%d: %.9g s, not %.9g", (int)data, got, want);
        world.plan.data_parallel.exchange = "gossip-ring";
        cr_expect(fabs((step_s(&world) - free_s(&world)) / want - 2.0) < 1e-6);
        cr_expect(data == 4 || (fabs(got - last) < 5e-9 && all > reduced));
        last = got;
        reduced = all;
    }
}

Test(data_parallel, gossip_hides_under_the_whole_step)
{
    ToyWorld world = world_of(4, 1e10);
    double alone = free_s(&world);
    world.plan.data_parallel.exchange = "gossip-one";
    double sent = LAYERS * layer_params(&world) * topo_dtype_bytes(world.plan.precision) / 1e10;
    double params = LAYERS * layer_params(&world);
    StratCosting costing = toy_costing(&world);
    double passes = alone - strat_cost_optimizer_s(&costing, params, params);
    double want = alone + MAX(0.0, sent - passes);
    cr_expect(fabs(step_s(&world) - want) < 20e-9, "%.9g s, not %.9g", step_s(&world), want);
    cr_expect_gt(sent, 0.5 * passes, "something to hide");
}

Test(data_parallel, compressed_gradients_take_their_bytes)
{
    static const struct {
        const char *kind;
        double density, bytes; /* of a parameter, all-reduced; 0: other than that */
        int64_t rank;
    } cases[] = {
        {"fp16",     0.0,  2.0,   0},
        {"int8",     0.0,  1.0,   0},
        {"1-bit",    0.0,  0.125, 0},
        {"powersgd", 0.0,  0.0,   4},
        {"top-k",    0.01, 0.0,   0},
    };
    ToyWorld world = world_of(8, 1e9);
    double params = LAYERS * layer_params(&world);
    world.plan.overlap_data = false;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        world.plan.data_parallel.compression =
            (StratCompression){cases[i].kind, cases[i].density, cases[i].rank};
        StratCosting costing = toy_costing(&world);
        double passes = strat_compress_s(&costing, params) + strat_restore_s(&costing, params);
        double want = 2.0 * 7.0 / 8.0 * params * cases[i].bytes / 1e9;
        if (cases[i].rank > 0) /* h x 3h, h x h, h x 4h, 4h x h: 16 h rows and columns */
            want = 2.0 * 7.0 / 8.0 * params / 1e9 * 4.0 * 4.0 * 16.0 / (12.0 * 1024.0);
        if (cases[i].density > 0.0) /* everybody gets seven others' values and indices */
            want = 7.0 * params * 8.0 * 0.01 / 1e9;
        double got = step_s(&world) - free_s(&world) - passes;
        cr_expect(passes > 0.0 && fabs(got / want - 1.0) < 1e-4, "%s: %.9g s, not %.9g",
                  cases[i].kind, got, want);
    }
}
