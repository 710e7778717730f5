/* Saving and loading against what a pencil gives: N nodes of B bytes on storage of rate S, links of
 * rate L and upper tiers of N L / o take B / min(L, L / o, S / N). */
#include "strat_saves.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const double WITHIN_S = 2e-9; /* an end is a whole number of ns */

static StratStorage toy_storage(void)
{
    return (StratStorage){
        .name = "toy",
        .write_bytes_per_s = 1e12,
        .read_bytes_per_s = 2e12,
        .write_fraction = 1.0,
        .read_fraction = 1.0,
        .node_link_bytes_per_s = 1e10,
        .oversubscription = 1.0,
        .host_copy_bytes_per_s = 5e10,
    };
}

static StratStorageRun run_equal(const StratStorage *storage, StratStorageWay way, int64_t nodes,
                                 double bytes)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(StratStateNodes));
    StratStateNodes equal = {nodes, bytes, bytes / 8.0};
    g_array_append_val(all, equal);
    StratStorageRun run;
    cr_assert(strat_storage_run(storage, way, all, &run, NULL));
    return run;
}

Test(storage_forms, equal_nodes_share_the_narrowest_of_links_tiers_and_servers)
{
    static const struct {
        StratStorageWay way;
        int64_t nodes;
        double oversubscription, fraction, latency_s;
        double rate; /* of a node, worked out by hand */
        const char *bound;
    } cases[] = {
        {STRAT_STORAGE_WRITE, 1,    1, 1.0,  0,    1e10,  "nodes' links"          },
        {STRAT_STORAGE_WRITE, 50,   1, 1.0,  0,    1e10,  "nodes' links"          },
        {STRAT_STORAGE_WRITE, 200,  1, 1.0,  0,    5e9,   "writing"               },
        {STRAT_STORAGE_READ,  400,  1, 1.0,  0,    5e9,   "reading"               },
        {STRAT_STORAGE_WRITE, 50,   1, 0.16, 0,    3.2e9, "writing"               },
        {STRAT_STORAGE_WRITE, 50,   4, 1.0,  0,    2.5e9, "network to its servers"},
        {STRAT_STORAGE_READ,  1000, 4, 1.0,  0.25, 2e9,   "reading"               },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        StratStorage storage = toy_storage();
        storage.oversubscription = cases[i].oversubscription;
        storage.latency_s = cases[i].latency_s;
        storage.write_fraction = storage.read_fraction = cases[i].fraction;
        StratStorageRun run = run_equal(&storage, cases[i].way, cases[i].nodes, 4e10);
        double want = 0.1 + cases[i].latency_s + 4e10 / cases[i].rate; /* 5 GB a GPU at 50 GB/s */
        cr_expect_float_eq(run.copy_s, 0.1, WITHIN_S, "case %zu: %g", i, run.copy_s);
        cr_expect_float_eq(run.total_s, want, WITHIN_S, "case %zu: %.12g", i, run.total_s);
        cr_expect_str_eq(run.bound, cases[i].bound, "case %zu: %s", i, run.bound);
        cr_expect_float_eq(run.bytes, (double)cases[i].nodes * 4e10, 1.0);
    }
}

Test(storage_forms, a_link_without_a_limit_leaves_the_servers)
{
    StratStorage storage = toy_storage();
    storage.node_link_bytes_per_s = INFINITY;
    StratStorageRun run = run_equal(&storage, STRAT_STORAGE_WRITE, 1, 4e10);
    cr_expect_float_eq(run.total_s, 0.1 + 0.04, WITHIN_S, "%.12g", run.total_s);
}

Test(storage_forms, nodes_one_by_one_take_what_they_take_together)
{
    StratStorage storage = toy_storage();
    g_autoptr(GArray) apart = g_array_new(FALSE, FALSE, sizeof(StratStateNodes));
    g_autoptr(GArray) folded = g_array_new(FALSE, FALSE, sizeof(StratStateNodes));
    StratStateNodes heavy = {3, 9e10, 2e10}, light = {200, 1e10, 2e9};
    g_array_append_val(folded, heavy);
    g_array_append_val(folded, light);
    heavy.count = light.count = 1;
    for (int i = 0; i < 203; i++)
        g_array_append_vals(apart, i < 3 ? &heavy : &light, 1);
    StratStorageRun one, many;
    cr_assert(strat_storage_run(&storage, STRAT_STORAGE_WRITE, apart, &many, NULL));
    cr_assert(strat_storage_run(&storage, STRAT_STORAGE_WRITE, folded, &one, NULL));
    cr_expect_float_eq(one.total_s, many.total_s, WITHIN_S, "%.12g %.12g", one.total_s,
                       many.total_s);
    /* From 0.04 s on the light ones have 5 GB/s each, from 0.4 s on all have the 203rd part of the
     * servers; then the heavy ones have their links to themselves. */
    double light_left = 1e10 - (0.4 - 0.04) * 5e9;
    double want = 0.4 + light_left / (1e12 / 203.0) + (9e10 - light_left) / 1e10;
    cr_expect_float_eq(one.total_s, want, 2.0 * WITHIN_S, "%.12g", one.total_s);
    cr_expect_str_eq(one.bound, "nodes' links");
}

/* A toy job of @data replicas on nodes of eight, with what its ranks hold. */
typedef struct Saved {
    ToyWorld world;
    StratCosting costing;
    StratTrainResult *step;
} Saved;

static void saved_init(Saved *saved, int64_t tensor, int64_t pipeline, int64_t data, bool zero)
{
    saved->world = toy_world();
    saved->world.plan.tensor = tensor;
    saved->world.plan.pipeline = pipeline;
    saved->world.plan.zero_stage = zero;
    toy_lay_out(&saved->world, data, 2 * pipeline);
    saved->costing = toy_costing(&saved->world);
    g_autoptr(GError) error = NULL;
    saved->step = strat_train_run(&saved->costing, true, &error);
    cr_assert(saved->step, "%s", error ? error->message : "");
}

static double model_bytes(const Saved *saved, double bytes_per_parameter)
{
    double sum = 0.0;
    for (guint s = 0; s < saved->step->memory->len; s++)
        sum += g_array_index(saved->step->memory, StratMemory, s).weights_bytes / 2.0;
    return sum * (double)saved->world.plan.tensor * bytes_per_parameter;
}

static StratSaves saves_of(const Saved *saved, const StratSaving *saving, StratPeers peers)
{
    StratSavedJob job = {
        .costing = &saved->costing,
        .step = saved->step,
        .step_s = sim_time_to_seconds(saved->step->step_ns),
        .copies = 2,
        .peers = peers,
    };
    StratSaves saves;
    g_autoptr(GError) error = NULL;
    bool done = strat_saves_run(saving, &job, &saves, &error);
    cr_assert(done, "%s", error ? error->message : "");
    return saves;
}

Test(storage_forms, a_checkpoint_has_14_bytes_a_parameter_whoever_writes_it_once)
{
    static const struct {
        int64_t tensor, pipeline, data;
    } shapes[] = {
        {1, 1, 1 },
        {1, 1, 32},
        {8, 2, 4 },
        {2, 4, 8 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        Saved saved;
        saved_init(&saved, shapes[i].tensor, shapes[i].pipeline, shapes[i].data, true);
        double want = model_bytes(&saved, 14.0), n = (double)shapes[i].data;
        StratSaving saving = {.storage = toy_storage(), .writers = STRAT_SHARE_SPREAD};
        double spread = saves_of(&saved, &saving, STRAT_PEERS_NONE).write.bytes;
        saving.writers = STRAT_SHARE_FIRST;
        double first = saves_of(&saved, &saving, STRAT_PEERS_NONE).write.bytes;
        saving.writers = STRAT_SHARE_ALL;
        double all = saves_of(&saved, &saving, STRAT_PEERS_NONE).write.bytes;
        cr_expect_float_eq(spread / want, 1.0, 1e-12, "case %zu: %.12g", i, spread / want);
        cr_expect_float_eq(first / want, 1.0, 1e-12, "case %zu: %.12g", i, first / want);
        cr_expect_float_eq(all / want, (2.0 * n + 12.0) / 14.0, 1e-12, "case %zu", i);
        strat_train_result_free(saved.step);
    }
}

/* The storm: N replicas read N times the weights and once the rest. */
Test(storage_forms, a_restart_reads_the_weights_once_a_replica)
{
    for (int64_t n = 8; n <= 128; n *= 4) {
        Saved saved;
        saved_init(&saved, 1, 1, n, true);
        StratSaving saving = {.storage = toy_storage()};
        saving.storage.node_link_bytes_per_s = INFINITY;
        StratSaves saves = saves_of(&saved, &saving, STRAT_PEERS_NONE);
        double bytes = model_bytes(&saved, 2.0 * (double)n + 12.0);
        cr_expect_float_eq(saves.read.bytes / bytes, 1.0, 1e-12);
        cr_expect_float_eq(saves.read.total_s - saves.read.copy_s, bytes / 2e12, WITHIN_S);
        cr_expect_float_eq(saves.load_s, saves.read.total_s, 0.0);
        strat_train_result_free(saved.step);
    }
}

/* Reading all N copies takes N W / S; one copy and its broadcast at rate b, W / S + W / b. The
 * latter wins from N = 1 + S / b on: here S = 25 GB/s and b = 10 GB/s, between 3 and 4 nodes. */
Test(storage_forms, reading_once_and_broadcasting_wins_from_a_size_on)
{
    for (int64_t n = 2; n <= 6; n++) {
        Saved saved;
        saved_init(&saved, 8, 1, n, false);
        StratSaving saving = {.storage = toy_storage()};
        saving.storage.node_link_bytes_per_s = saving.storage.host_copy_bytes_per_s = INFINITY;
        saving.storage.read_bytes_per_s = 2e11; /* 25 GB/s for each of a node's eight */
        double all_s = saves_of(&saved, &saving, STRAT_PEERS_NONE).load_s;
        saving.restore = STRAT_RESTORE_BROADCAST;
        StratSaves once = saves_of(&saved, &saving, STRAT_PEERS_NONE);
        double rank = model_bytes(&saved, 14.0) / 8.0;
        cr_expect_float_eq(all_s, (double)n * rank / 2.5e10, WITHIN_S, "%d", (int)n);
        cr_expect_float_eq(once.read.total_s, rank / 2.5e10, WITHIN_S, "%d", (int)n);
        cr_expect(once.hand_round_s >= rank / 1e10 && once.hand_round_s < 1.2 * rank / 1e10,
                  "%d nodes: %g of %g", (int)n, once.hand_round_s, rank / 1e10);
        cr_expect_eq(once.load_s<all_s, n> 3, "%d nodes: %g, %g", (int)n, once.load_s, all_s);
        strat_train_result_free(saved.step);
    }
}

Test(storage_forms, a_part_each_is_read_at_once_where_one_node_would_bind)
{
    Saved saved;
    saved_init(&saved, 8, 1, 4, true);
    StratSaving saving = {.storage = toy_storage(), .restore = STRAT_RESTORE_BROADCAST};
    StratSaves broadcast = saves_of(&saved, &saving, STRAT_PEERS_NONE);
    saving.restore = STRAT_RESTORE_GATHER;
    StratSaves gather = saves_of(&saved, &saving, STRAT_PEERS_NONE);
    double node =
        model_bytes(&saved, 1.0); /* of weights 2 in all or a quarter of it, of 12 a quarter */
    cr_expect_float_eq(broadcast.read.total_s - broadcast.read.copy_s, node * 5.0 / 1e10, WITHIN_S);
    cr_expect_float_eq(gather.read.total_s - gather.read.copy_s, node * 3.5 / 1e10, WITHIN_S);
    strat_train_result_free(saved.step);
}

/* A GPU's state goes through its own NIC, 10 GB/s; host memory takes 50 GB/s. */
Test(storage_forms, copies_to_peers_take_their_bytes_over_a_nic)
{
    Saved saved;
    saved_init(&saved, 8, 1, 4, true);
    StratSaving saving = {.storage = toy_storage(), .copies = STRAT_COPY_BLOCKING};
    StratSaves blocking = saves_of(&saved, &saving, STRAT_PEERS_NODE);
    double rank = model_bytes(&saved, 1.0) / 8.0;
    cr_expect_float_eq(blocking.copy_s, rank * 3.5 / 1e10, WITHIN_S, "%.12g", blocking.copy_s);
    cr_expect_float_eq(blocking.copy_block_s, blocking.copy_s, 0.0);
    cr_expect_float_eq(blocking.peer_load_s, rank * 5.0 / 1e10, WITHIN_S, "%.12g",
                       blocking.peer_load_s);
    saving.copies = STRAT_COPY_IDLE;
    StratSaves idle = saves_of(&saved, &saving, STRAT_PEERS_NODE);
    double step_s = sim_time_to_seconds(saved.step->step_ns);
    cr_expect(idle.idle_s > 0.0 && idle.idle_s < step_s, "%g of %g", idle.idle_s, step_s);
    cr_expect_float_eq(idle.copy_block_s, fmax(idle.copy_s - idle.idle_s, 0.0), 0.0);
    StratSaves replica = saves_of(&saved, &saving, STRAT_PEERS_REPLICA);
    cr_expect_float_eq(replica.peer_load_s, rank * 5.0 / 1e10, WITHIN_S);
    strat_train_result_free(saved.step);
}

/* The same on the fluid net, whose NICs are so slow that what is sent outlasts the computation. */
static void saved_init_fluid(Saved *saved)
{
    saved_init(saved, 8, 1, 4, true);
    saved->world.cluster.node.nic_bytes_per_s = 1e9;
    saved->costing.net = topo_net_by_name("fluid", NULL);
    saved->costing.routing = "rail";
    saved->costing.fabric = topo_fabric_spec_default("single-switch", &saved->world.cluster);
    strat_train_result_free(saved->step);
    g_autoptr(GError) error = NULL;
    saved->step = strat_train_run(&saved->costing, true, &error);
    cr_assert(saved->step, "%s", error ? error->message : "");
}

/* A step and copies share the NICs: the step is longer, by no more than the copies take. */
Test(storage_forms, copies_beside_a_step_slow_it_by_no_more_than_they_take)
{
    Saved saved;
    saved_init_fluid(&saved);
    StratSaving saving = {.storage = toy_storage(), .copies = STRAT_COPY_BLOCKING};
    StratSaves blocking = saves_of(&saved, &saving, STRAT_PEERS_NODE);
    saving.copies = STRAT_COPY_SHARED;
    StratSaves shared = saves_of(&saved, &saving, STRAT_PEERS_NODE);
    cr_expect(blocking.copy_s > 0.0);
    cr_expect(shared.copy_s >= blocking.copy_s - WITHIN_S);
    cr_expect(shared.copy_block_s > 0.0 && shared.copy_block_s <= blocking.copy_s + WITHIN_S,
              "%g of %g", shared.copy_block_s, blocking.copy_s);
    strat_train_result_free(saved.step);
}

/* Four nodes to one server, or two: each of its NICs takes what four GPUs send, or two. */
Test(storage_forms, servers_on_the_compute_network_take_what_their_nics_let_in)
{
    Saved saved;
    saved_init_fluid(&saved);
    StratSaving saving = {.storage = toy_storage()};
    double rank = model_bytes(&saved, 1.0) / 8.0;
    for (int64_t servers = 1; servers <= 2; servers++) {
        saving.servers = servers;
        StratSaves s = saves_of(&saved, &saving, STRAT_PEERS_NONE);
        double write_s = rank * 3.5 * 4.0 / (double)servers / 1e9;
        double read_s = rank * 5.0 * 4.0 / (double)servers / 1e9;
        double network_s = s.write.total_s - s.write.copy_s;
        /* Flights of some us come on top, of 70 ms and more. */
        cr_expect_float_eq(network_s / write_s, 1.0, 1e-3, "%g of %g", network_s, write_s);
        network_s = s.read.total_s - s.read.copy_s;
        cr_expect_float_eq(network_s / read_s, 1.0, 1e-3, "%g of %g", network_s, read_s);
        cr_expect_str_eq(s.write.bound, "compute network");
        cr_expect(s.slowed_s > 0.0 && s.slowed_s <= 2.0 * write_s, "%g of %g", s.slowed_s, write_s);
        saving.mode = STRAT_SAVE_SYNC; /* no steps beside it */
        cr_expect_float_eq(saves_of(&saved, &saving, STRAT_PEERS_NONE).slowed_s, 0.0, 0.0);
        saving.mode = STRAT_SAVE_ASYNC;
    }
    strat_train_result_free(saved.step);
}

Test(storage_forms, groups_of_copies_reach_every_peer_once)
{
    for (int64_t nodes = 2; nodes <= 11; nodes++) {
        for (int64_t copies = 2; copies <= MIN(nodes, 4); copies++) {
            for (int64_t n = 0; n < nodes; n++) {
                int64_t seen = 0;
                for (int64_t c = 1; c < copies; c++) {
                    int64_t peer = strat_peers_node(nodes, copies, n, c);
                    cr_expect(peer >= 0 && peer < nodes && peer != n && !(seen >> peer & 1));
                    seen |= INT64_C(1) << peer;
                }
            }
        }
    }
}
