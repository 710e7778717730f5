/* Tensor and context traffic beside the blocks it is priced in: on a network where everything has
 * its own wires it changes nothing, to the nanosecond; folding does not matter to it; it carries
 * what the plan's operations move; and where it meets the gradients' traffic on a NIC, both are
 * late. */
#include "toy_plans.h"

#include "strat_cost_traffic.h"
#include "topo_placement.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* The step of @world, compiled for a network that shares links or for one that does not, and run on
 * wires of its own; how many operations it has into @ops. */
static SimTime step_on_own_wires(const ToyWorld *world, const int64_t *gpu_of_rank, bool shares,
                                 bool fold, uint32_t *ops)
{
    StratCosting costing = toy_costing(world);
    const TopoNet *closed = costing.net;
    costing.gpu_of_rank = gpu_of_rank;
    costing.net = topo_net_by_name(shares ? "fluid" : "alpha-beta", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratStep) step = strat_compile(&costing, fold, &error);
    cr_assert(step, "%s", error ? error->message : "");
    const GArray *transfers = step->transfers->transfers;
    SimNet *net = topo_sim_net_new(closed, &world->cluster, (const TopoTransfer *)transfers->data,
                                   transfers->len, &error);
    cr_assert(net, "%s", error ? error->message : "");
    g_autoptr(SimRun) run = sim_exec_run(step->program, net, &error);
    cr_assert(run, "%s", error ? error->message : "");
    topo_sim_net_free(net);
    *ops = run->op_count;
    return run->makespan;
}

/* How many more operations the plan has with traffic beside its blocks, having compared the steps.
 */
static uint32_t expect_same_step(const ToyWorld *world, const int64_t *gpu_of_rank)
{
    uint32_t without, with, unfolded;
    SimTime bare = step_on_own_wires(world, gpu_of_rank, false, true, &without);
    SimTime beside = step_on_own_wires(world, gpu_of_rank, true, true, &with);
    SimTime whole = step_on_own_wires(world, gpu_of_rank, true, false, &unfolded);
    g_autofree char *what = toy_plan_describe(world);
    cr_expect(beside == bare, "%s: %" PRId64 " ns, without %" PRId64, what, beside, bare);
    cr_expect(whole == bare, "%s: %" PRId64 " ns unfolded, without %" PRId64, what, whole, bare);
    return with - without;
}

Test(beside_traffic, alone_changes_no_nanosecond)
{
    static const char *const placements[] = {"packed", "spread", "rail-aligned"};
    int plans_with = 0;
    for (size_t i = 0; i < toy_plan_count(); i++) {
        for (size_t p = 0; p < G_N_ELEMENTS(placements); p++) {
            ToyWorld world = toy_plan_at(i);
            TopoPlacementSpec spec = {.cluster = &world.cluster,
                                      .placement = placements[p],
                                      .ranks = world.cluster.gpu_count};
            g_autofree int64_t *gpu_of_rank = topo_place(&spec, NULL);
            plans_with += expect_same_step(&world, gpu_of_rank) > 0;
        }
    }
    cr_expect(plans_with > 20, "only %d plans had any", plans_with);
}

Test(beside_traffic, is_not_there_when_groups_stay_in_their_domains)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 4;
    world.plan.context = 2;
    toy_lay_out(&world, 2, 2);
    cr_expect(expect_same_step(&world, NULL) == 0);
    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = 4;
    world.cluster.node_count = 4;
    cr_expect(expect_same_step(&world, NULL) == 4, "context: two forwards, two backwards");
    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = 2;
    world.cluster.node_count = 8;
    cr_expect(expect_same_step(&world, NULL) == 8, "and as many for tensor");
}

/* A GPT layer of width h over s tokens on t tensor ranks: forward two all-reduces of 2 s h bytes,
 * backward two more (Narayanan 2021 SC, section 3.2); under sequence parallelism each is a gather
 * and a reduce-scatter, and the backward gathers twice again (Korthikanti 2022, section 4.2.2). */
Test(beside_traffic, counts_what_the_papers_count)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 2;
    toy_lay_out(&world, 1, 1);
    StratCosting costing = toy_costing(&world);
    StratModelChunk chunk = {.layers = 3};
    double once = 3.0 * 2.0 * 1024.0 * 1024.0; /* three layers of 1024 tokens, 1024 wide, 2 bytes */
    cr_expect(strat_cost_traffic(&costing, &chunk, false).tensor_bytes == 4.0 * once);
    cr_expect(strat_cost_traffic(&costing, &chunk, true).tensor_bytes == 4.0 * once);
    world.plan.recompute = STRAT_RECOMPUTE_FULL;
    cr_expect(strat_cost_traffic(&costing, &chunk, true).tensor_bytes == 8.0 * once);
    world.plan.recompute = STRAT_RECOMPUTE_NONE;
    world.plan.sequence_parallel = true;
    cr_expect(strat_cost_traffic(&costing, &chunk, false).tensor_bytes == 4.0 * once);
    cr_expect(strat_cost_traffic(&costing, &chunk, true).tensor_bytes == 6.0 * once);
    cr_expect(strat_cost_traffic(&costing, &chunk, true).context_bytes == 0.0);
}

/* Keys and values of s / c tokens go round c - 1 times; their gradients come along backwards. */
Test(beside_traffic, counts_keys_and_values_once_round)
{
    ToyWorld world = toy_world();
    world.plan.context = 4;
    toy_lay_out(&world, 1, 1);
    StratCosting costing = toy_costing(&world);
    StratModelChunk chunk = {.layers = 1};
    double share = 256.0 * 2.0 * 1024.0 * 2.0; /* tokens, keys and values, width, bytes */
    cr_expect(strat_cost_traffic(&costing, &chunk, false).context_bytes == 4.0 * share);
    cr_expect(strat_cost_traffic(&costing, &chunk, true).context_bytes == 8.0 * share);
    world.plan.recompute = STRAT_RECOMPUTE_SELECTIVE;
    cr_expect(strat_cost_traffic(&costing, &chunk, true).context_bytes == 12.0 * share);
    world.plan.profiled.forward_s = 1.0;
    cr_expect(strat_cost_traffic(&costing, &chunk, true).context_bytes == 0.0);
}

/* A plan whose data groups and context groups leave their nodes through the same NICs. */
static ToyWorld crowded(int64_t context)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 4;
    world.plan.context = context;
    world.plan.overlap_data = true;
    world.plan.zero_stage = 1;
    world.model.tied_embeddings = true;
    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = world.cluster.node.nics = 4;
    world.cluster.node.nic_bytes_per_s = 2e9;
    toy_lay_out(&world, 8 / context, 2);
    return world;
}

static StratTrainResult *run_on_fabric(const ToyWorld *world, bool fold)
{
    StratCosting costing = toy_costing(world);
    costing.net = topo_net_by_name("fluid", NULL);
    costing.fabric = topo_fabric_spec_default("single-switch", &world->cluster);
    costing.fabric.radix = 1024;
    costing.fabric.node_length_m = costing.fabric.leaf_length_m = 0.0;
    costing.fabric.nic_latency_s = costing.fabric.switch_latency_s = 0.0;
    costing.fabric.pcie_switch_latency_s = costing.fabric.cpu_latency_s = 0.0;
    costing.routing = "rail";
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(&costing, fold, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result;
}

static SimTime closed_form_ns(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    return result->step_ns;
}

Test(beside_traffic, meets_the_gradients_at_the_nic)
{
    ToyWorld world = crowded(4);
    g_autoptr(StratTrainResult) shared = run_on_fabric(&world, true);
    g_autoptr(StratTrainResult) whole = run_on_fabric(&world, false);
    SimTime alone = closed_form_ns(&world);
    cr_expect((double)shared->step_ns > 1.01 * (double)alone,
              "%" PRId64 " ns, priced alone %" PRId64, shared->step_ns, alone);
    cr_assert(shared->hot_links->len > 0);
    const TopoHotLink *hot = &g_array_index(shared->hot_links, TopoHotLink, 0);
    cr_expect(hot->waited_s > 0.0 && hot->alike >= 2 * world.cluster.gpu_count,
              "%s and %d alike held things back for %g s", hot->name, (int)hot->alike,
              hot->waited_s);
    cr_expect(toy_ledger_sum(shared) == shared->gpus * shared->step_ns);
    cr_expect(llabs(shared->step_ns - whole->step_ns) < 1000, "%" PRId64 " and %" PRId64,
              shared->step_ns, whole->step_ns);
}

Test(beside_traffic, leaves_the_gradients_alone_without_context_groups)
{
    ToyWorld world = crowded(1);
    g_autoptr(StratTrainResult) shared = run_on_fabric(&world, true);
    SimTime alone = closed_form_ns(&world);
    cr_expect(fabs((double)shared->step_ns / (double)alone - 1.0) < 1e-3,
              "%" PRId64 " ns, priced alone %" PRId64, shared->step_ns, alone);
}
