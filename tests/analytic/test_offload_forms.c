/* Offload against what can be worked out by hand.
 *
 * One GPU, P parameters in layers alone, forward and backward of C seconds, a link of w bytes/s:
 *
 *   optimizer on the host, nothing overlapped   C + 4 P / w + u
 *   u = max(30 P / (0.535 D), 2 P / w)          30 bytes of Adam with fp32 gradients, D of DRAM
 *   delayed by a step                           max(C + what comes down last, u)
 *   weights on the host                         C + 2 * 2 P / w: fetched forward and backward
 *   activations on a slow link, A bytes a layer 2 L A / w: each layer takes as long as its copy
 *
 * The efficiency C / (C + bytes / w) of such traffic is ZeRO-Infinity's (Rajbhandari 2021, arXiv
 * 2104.07857, section 4, equation 6), ait w / (ait w + peak) with ait FLOPs a byte. */
#include "toy_world.h"

#include "strat_layout.h"
#include "strat_stores.h"

#include <criterion/criterion.h>
#include <math.h>

static ToyWorld offload_world(double link_bytes_per_s)
{
    ToyWorld world = toy_world();
    world.model.vocab = 0;
    world.plan.zero_stage = 2;
    world.cluster.node.host_bytes_per_s = link_bytes_per_s;
    world.cluster.node.host_memory_bytes = 1e12;
    world.cluster.node.host_memory_bytes_per_s = 1e11;
    world.cluster.node.disk_bytes = 1e13;
    world.cluster.node.disk_read_bytes_per_s = 1e10;
    world.cluster.node.disk_write_bytes_per_s = 5e9;
    toy_lay_out(&world, 1, 1);
    return world;
}

static double step_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert(result, "%s", error ? error->message : "");
    cr_expect(toy_ledger_sum(result) == result->step_ns * result->gpus);
    return (double)result->step_ns * 1e-9;
}

/* Forward and backward alone. */
static double compute_s(ToyWorld world)
{
    world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    world.plan.offload = (StratStores){0};
    world.plan.zero_stage = 0;
    return step_s(&world);
}

static double params_of(const ToyWorld *world)
{
    StratModelChunk chunk = strat_chunk_at(&world->model, &world->plan, 0, 0);
    return strat_chunk_params(&world->model, &world->plan, &chunk);
}

static StratMemory memory_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    return g_array_index(stages, StratMemory, 0);
}

static void expect_near(double got, double want, double tolerance, const char *what)
{
    cr_expect(fabs(got / want - 1.0) < tolerance, "%s: %.9g, not %.9g", what, got, want);
}

Test(offload, without_overlap_gradients_go_down_and_the_host_updates)
{
    static const double links[] = {1e8, 1e10, 1e12};
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        ToyWorld world = offload_world(links[i]);
        world.plan.offload.optimizer = STRAT_STORE_HOST;
        double p = params_of(&world);
        double update = fmax(30.0 * p / 0.535e11, 2.0 * p / links[i]);
        expect_near(step_s(&world), compute_s(world) + 4.0 * p / links[i] + update, 1e-6, "step");
    }
}

Test(offload, copies_hide_under_the_backward_but_the_last)
{
    ToyWorld world = offload_world(1e10);
    world.plan.offload.optimizer = STRAT_STORE_HOST;
    double p = params_of(&world), update = 30.0 * p / 0.535e11;
    double bare = step_s(&world);
    world.plan.overlap_data = true;
    double overlapped = step_s(&world), compute = compute_s(world);
    cr_expect(overlapped < bare);
    cr_expect(overlapped > compute + update);
    world.cluster.node.host_bytes_per_s = 1e16;
    expect_near(step_s(&world), compute + update, 1e-6, "a link without length");
}

Test(offload, a_delayed_update_runs_beside_the_step)
{
    ToyWorld world = offload_world(1e16);
    world.plan.overlap_data = true;
    world.plan.offload = (StratStores){.optimizer = STRAT_STORE_HOST, .delayed_update = true};
    double p = params_of(&world);
    static const double drams[] = {1e9, 1e13};
    for (size_t i = 0; i < G_N_ELEMENTS(drams); i++) {
        world.cluster.node.host_memory_bytes_per_s = drams[i];
        expect_near(step_s(&world), fmax(compute_s(world), 30.0 * p / (0.535 * drams[i])), 1e-6,
                    "delayed");
    }
}

Test(offload, states_on_disk_are_read_and_written_meanwhile)
{
    ToyWorld world = offload_world(1e16);
    world.plan.offload.optimizer = STRAT_STORE_DISK;
    double p = params_of(&world);
    double down = 4.0 * p / 5e9, update = 16.0 * p / 5e9;
    expect_near(step_s(&world), compute_s(world) + down + update, 1e-6, "written at 5 GB/s");
    world.cluster.node.disk_read_bytes_per_s = 1e9;
    expect_near(step_s(&world), compute_s(world) + down + 16.0 * p / 1e9, 1e-6, "read at 1 GB/s");
}

Test(offload, a_node_s_disks_and_dram_are_shared_by_its_gpus)
{
    ToyWorld world = offload_world(1e16);
    world.plan.zero_stage = 1;
    world.plan.offload.optimizer = STRAT_STORE_HOST;
    double p = params_of(&world);
    toy_lay_out(&world, 4, 1);
    ToyWorld none = world;
    none.plan.optimizer = STRAT_OPTIMIZER_NONE;
    none.plan.offload = (StratStores){0};
    double reduced = 3.0 / 4.0 * 4.0 * p / 1e11, gathered = 3.0 / 4.0 * 2.0 * p / 1e11;
    /* A fourth of the parameters at a fourth of the rate. */
    expect_near(step_s(&world), step_s(&none) + reduced + 30.0 * p / 0.535e11 + gathered, 1e-6,
                "four GPUs");
}

Test(offload, traffic_without_overlap_has_the_efficiency_of_zero_infinity_s_section_4)
{
    static const double links[] = {1e9, 1e10, 7e10};
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        ToyWorld world = offload_world(links[i]);
        world.plan.zero_stage = 3;
        world.plan.recompute = STRAT_RECOMPUTE_FULL;
        world.plan.optimizer = STRAT_OPTIMIZER_NONE;
        double compute = compute_s(world), p = params_of(&world), flop = 8.0 * p * 1024.0;
        world.plan.offload.parameters = STRAT_STORE_HOST;
        double bytes = 2.0 * 2.0 * p;
        double ait = flop / bytes, peak = flop / compute;
        expect_near(compute / step_s(&world), ait * links[i] / (ait * links[i] + peak), 1e-5,
                    "efficiency");
    }
}

/* Section 4.2: 70 GB/s of weights and gradients keep a GPU of 70 TFLOP/s more than half busy with
 * one sequence of 1,024 tokens. The paper loads weights three times, once for recomputation alone
 * (ait = 1,024); here recomputation and backward use one load, so ait is 4/3 of that. */
Test(offload, seventy_gigabytes_a_second_keep_more_than_half_of_a_v100)
{
    ToyWorld world = offload_world(70e9);
    world.plan.zero_stage = 3;
    world.plan.gradients = TOPO_DTYPE_BF16;
    world.plan.recompute = STRAT_RECOMPUTE_FULL;
    world.cluster.node.host_memory_bytes_per_s = 1e18;
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++) {
        double achieved = 8.0 * params_of(&world) * 1024.0 / compute_s(world);
        world.cluster.node.gpu.peak_flop_per_s[t] *= 70e12 / achieved;
    }
    ToyWorld none = world;
    none.plan.offload = (StratStores){0};
    double achieved = 8.0 * params_of(&world) * 1024.0 / compute_s(none);
    world.plan.offload =
        (StratStores){.parameters = STRAT_STORE_HOST, .optimizer = STRAT_STORE_HOST};
    double paper = 1024.0 * 70e9 / (1024.0 * 70e9 + achieved);
    double ours = 1365.0 * 70e9 / (1365.0 * 70e9 + achieved);
    double got = compute_s(none) / step_s(&world);
    cr_expect(paper > 0.45, "%g", paper);
    cr_expect(got > paper && got < 1.08 * ours, "%g of %g to %g", got, paper, ours);
}

Test(offload, a_slow_link_makes_each_layer_as_long_as_its_copy)
{
    ToyWorld world = offload_world(1e8);
    world.plan.zero_stage = 0;
    world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    StratCosting costing = toy_costing(&world);
    StratModelChunk chunk = strat_chunk_at(&world.model, &world.plan, 0, 0);
    double kept = strat_chunk_saved_bytes(&costing, &chunk);
    world.plan.offload.activations = 1.0;
    expect_near(step_s(&world), 2.0 * kept / 1e8, 1e-6, "all of them");
    world.plan.offload = (StratStores){.activation_layers = 4};
    expect_near(step_s(&world), kept / 1e8, 1e-6, "half of the layers");
    world.cluster.node.host_bytes_per_s = 1e15;
    expect_near(step_s(&world), compute_s(world), 1e-9, "a fast link hides all");
}

Test(offload, memory_moves_from_the_gpu_to_the_host)
{
    ToyWorld world = offload_world(1e10);
    world.plan.zero_stage = 3;
    world.plan.gradients = TOPO_DTYPE_BF16;
    StratMemory before = memory_of(&world);
    double p = params_of(&world);
    expect_near(before.optimizer_bytes, 12.0 * p, 1e-12, "Adam");
    world.plan.offload = (StratStores){
        .optimizer = STRAT_STORE_HOST, .parameters = STRAT_STORE_DISK, .activations = 0.5};
    StratMemory after = memory_of(&world);
    cr_expect(after.optimizer_bytes + after.gradients_bytes + after.weights_bytes <= 0.0);
    expect_near(after.activations_bytes, 0.5 * before.activations_bytes, 1e-12, "activations");
    /* ZeRO-Offload, section 4.2: 14 bytes a parameter on the host. */
    expect_near(after.host_bytes, 14.0 * p + 0.5 * before.activations_bytes, 1e-12, "host");
    expect_near(after.disk_bytes, 2.0 * p, 1e-12, "disk");
}

Test(offload, tiles_leave_one_part_of_a_layer_at_hand)
{
    ToyWorld world = offload_world(1e10);
    world.plan.zero_stage = 3;
    world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    world.plan.offload = (StratStores){.parameters = STRAT_STORE_HOST, .tiles = 1};
    double whole = memory_of(&world).workspace_bytes;
    world.plan.offload.tiles = 4;
    double quarter = memory_of(&world).workspace_bytes;
    double layer = params_of(&world) / (double)world.model.layers;
    cr_expect(whole - quarter > 0.74 * 2.0 * layer, "%g bytes less", whole - quarter);
}

Test(offload, a_host_that_is_too_small_is_refused)
{
    ToyWorld world = offload_world(1e10);
    world.plan.offload.optimizer = STRAT_STORE_HOST;
    world.cluster.node.host_memory_bytes = 15.9 * params_of(&world);
    StratCosting costing = toy_costing(&world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    g_autoptr(GError) error = NULL;
    cr_expect(strat_memory_fits(stages));
    cr_expect(!strat_memory_check(&costing, stages, &error));
    cr_assert(error);
    cr_expect(strstr(error->message, "into host memory"), "%s", error->message);
    world.cluster.node.host_memory_bytes = 16.1 * params_of(&world);
    g_autoptr(GArray) enough = strat_memory_stages(&costing);
    cr_expect(strat_memory_check(&costing, enough, NULL));
}

/* ZeRO-Offload, table 4: seconds of its CPU Adam on a DGX-2, for that many billion parameters. */
Test(offload, the_host_s_adam_is_as_fast_as_zero_offload_s)
{
    static const struct {
        double billions, seconds;
    } rows[] = {
        {1.0,  0.22},
        {2.0,  0.51},
        {4.0,  1.03},
        {8.0,  2.41},
        {10.0, 2.57},
    };
    ToyWorld world = offload_world(32e9);
    world.cluster.node.host_memory_bytes_per_s = 204.8e9;
    double sum = 0.0;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        double bytes = 28.0 * rows[i].billions * 1e9;
        double got = strat_stores_update_s(&world.cluster, STRAT_STORE_HOST, bytes, 0.0, 0.0);
        double error = got / rows[i].seconds - 1.0;
        sum += fabs(error) / G_N_ELEMENTS(rows);
        cr_expect(fabs(error) < 0.19, "%g billion: %g s, not %g", rows[i].billions, got,
                  rows[i].seconds);
    }
    cr_expect(sum < 0.08, "mean error %g", sum);
}
