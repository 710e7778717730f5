/* Replays of execution traces against what they must take on paper. */
#include "toy_et.h"

#include "topo_net.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MIB = 1 << 20 };

static StratEtResult *replay_with(const char *keys, const char *more, GByteArray **files,
                                  size_t ranks, GError **error)
{
    g_autoptr(ScenScenario) scenario = toy_et_scenario((int)MAX(ranks, 1), keys, more);
    StratEtResult *result = toy_et_replay(scenario, files, ranks, error);
    for (size_t r = 0; r < ranks; r++)
        g_byte_array_unref(files[r]);
    return result;
}

static StratEtResult *replay(const char *keys, const char *more, GByteArray **files, size_t ranks)
{
    g_autoptr(GError) error = NULL;
    StratEtResult *result = replay_with(keys, more, files, ranks, &error);
    cr_assert(result, "%s", error ? error->message : "");
    for (size_t r = 0; r < ranks; r++) {
        int64_t sum = 0;
        for (int a = 0; a < STRAT_ET_ACCOUNTS; a++)
            sum += result->rank[r].ns[a];
        cr_expect_eq(sum, result->makespan);
    }
    return result;
}

static void expect_refused(const char *keys, GByteArray **files, size_t ranks, const char *want)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratEtResult) result = replay_with(keys, "", files, ranks, &error);
    cr_expect(!result, "not refused: %s", want);
    cr_expect(error && strstr(error->message, want), "got '%s', want '%s'",
              error ? error->message : "", want);
}

/* Seconds of a collective of @ranks GPUs from the first on, by the closed form. */
static double alone_s(TopoCollectiveOp op, int64_t ranks, double bytes, const char *algorithm)
{
    g_autoptr(ScenScenario) scenario = toy_et_scenario((int)ranks, "", "");
    TopoTransfer transfer = {
        .op = op,
        .ranks = ranks,
        .ranks_per_domain = MIN(ranks, scenario->cluster.node.scale_up_gpus),
        .bytes = bytes,
        .algorithm = algorithm ? topo_collective_by_name(algorithm, NULL) : NULL,
    };
    return topo_net_alpha_beta_s(&scenario->cluster, &transfer);
}

static int64_t ns(double seconds)
{
    return (int64_t)floor(seconds * 1e9 + 0.5);
}

Test(et_replay, one_all_reduce_takes_what_the_closed_form_says)
{
    static const int sizes[] = {2, 4, 8, 16, 32, 64};
    const ToyEtNode node = {.type = TOY_ET_COLL, .size = MIB};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        GByteArray *files[64];
        for (int r = 0; r < sizes[i]; r++)
            files[r] = toy_et_file(&node, 1);
        g_autoptr(StratEtResult) result = replay("algorithm: ring", "", files, sizes[i]);
        int64_t want = ns(alone_s(TOPO_OP_ALL_REDUCE, sizes[i], MIB, "ring"));
        cr_expect_eq(result->makespan, want, "%d ranks: %ld, want %ld", sizes[i],
                     (long)result->makespan, (long)want);
        cr_expect_eq(result->total_ns[STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_ALL_REDUCE],
                     want * sizes[i]);
    }
}

Test(et_replay, sizes_are_what_one_member_gives)
{
    static const struct {
        StratEtCollective collective;
        TopoCollectiveOp op;
        double bytes;
    } cases[] = {
        {STRAT_ET_ALL_GATHER,     TOPO_OP_ALL_GATHER,     8.0 * MIB},
        {STRAT_ET_REDUCE_SCATTER, TOPO_OP_REDUCE_SCATTER, 1.0 * MIB},
        {STRAT_ET_ALL_TO_ALL,     TOPO_OP_ALL_TO_ALL,     1.0 * MIB},
        {STRAT_ET_BROADCAST,      TOPO_OP_BROADCAST,      1.0 * MIB},
        {STRAT_ET_BARRIER,        TOPO_OP_ALL_REDUCE,     4.0      },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ToyEtNode node = {
            .type = TOY_ET_COLL, .collective = cases[i].collective, .size = MIB};
        GByteArray *files[8];
        for (int r = 0; r < 8; r++)
            files[r] = toy_et_file(&node, 1);
        g_autoptr(StratEtResult) result = replay("", "", files, 8);
        cr_expect_eq(result->makespan, ns(alone_s(cases[i].op, 8, cases[i].bytes, NULL)),
                     "case %zu", i);
    }
}

Test(et_replay, a_chain_of_computation_sums_and_speed_divides_it)
{
    const ToyEtNode nodes[] = {
        {.id = 0,              .type = TOY_ET_COMP, .us = 5    },
        { .id = 1, .type = TOY_ET_COMP,             .us = 7, .data = {1}},
        { .id = 2, .type = TOY_ET_COMP,            .us = 11, .ctrl = {2}},
    };
    GByteArray *file = toy_et_file(nodes, 3), *again = toy_et_file(nodes, 3);
    g_autoptr(StratEtResult) result = replay("", "", &file, 1);
    cr_expect_eq(result->makespan, 23000);
    cr_expect_eq(result->total_ns[STRAT_ET_ACCOUNT_COMPUTE], 23000);
    g_autoptr(StratEtResult) faster = replay("speed: 2", "", &again, 1);
    cr_expect_eq(faster->makespan, 11500);
}

Test(et_replay, one_gpu_computes_one_thing_at_a_time_and_its_host_beside_it)
{
    const ToyEtNode nodes[] = {
        {.id = 0,              .type = TOY_ET_COMP, .us = 5},
        {       .id = 1, .type = TOY_ET_COMP,             .us = 7       },
        { .id = 2,             .type = TOY_ET_COMP,                 .us = 9,        .on_host = true},
    };
    GByteArray *file = toy_et_file(nodes, 3);
    g_autoptr(StratEtResult) result = replay("", "", &file, 1);
    cr_expect_eq(result->makespan, 12000);
}

Test(et_replay, a_roofline_is_the_larger_of_operations_and_bytes)
{
    const ToyEtNode nodes[] = {
        {.id = 0,              .type = TOY_ET_COMP, .ops = 1000000000, .bytes = 1000},
        { .id = 1, .type = TOY_ET_COMP,         .ops = 1000,  .bytes = 1000000,   .data = {1}},
    };
    GByteArray *file = toy_et_file(nodes, 2), *again = toy_et_file(nodes, 2);
    g_autoptr(StratEtResult) result =
        replay("compute: roofline, peak: 100 TFLOP/s, memory_bandwidth: 1 TB/s", "", &file, 1);
    cr_expect_eq(result->makespan, 10000 + 1000);
    expect_refused("", &again, 1, "compute: roofline");
}

Test(et_replay, independent_computation_hides_communication)
{
    const int64_t move = ns(alone_s(TOPO_OP_ALL_REDUCE, 8, MIB, NULL));
    const uint64_t longer = (uint64_t)move / 1000 + 100;
    const struct {
        uint64_t us;
        uint64_t after;
        int64_t want;
    } cases[] = {
        {longer, 0, (int64_t)longer * 1000       }, /* beside it, and longer */
        {1,      0, move                         }, /* beside it, and shorter */
        {longer, 1, (int64_t)longer * 1000 + move}, /* behind it */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ToyEtNode nodes[] = {
            {.id = 0,              .type = TOY_ET_COLL, .size = MIB             },
            { .id = 1, .type = TOY_ET_COMP,   .us = cases[i].us, .ctrl = {cases[i].after}},
        };
        GByteArray *files[8];
        for (int r = 0; r < 8; r++)
            files[r] = toy_et_file(nodes, 2);
        g_autoptr(StratEtResult) result = replay("", "", files, 8);
        cr_expect_eq(result->makespan, cases[i].want, "case %zu: %ld, want %ld", i,
                     (long)result->makespan, (long)cases[i].want);
        cr_expect_eq(result->total_ns[STRAT_ET_ACCOUNT_COMPUTE], (int64_t)cases[i].us * 1000 * 8);
    }
}

/* The GPU takes what is ready, not what comes first in the file. */
Test(et_replay, computation_that_waits_does_not_hold_up_what_is_ready)
{
    const int64_t move = ns(alone_s(TOPO_OP_ALL_REDUCE, 2, MIB, NULL));
    const ToyEtNode nodes[] = {
        {.id = 0, .type = TOY_ET_COLL, .size = MIB},
        {.id = 1, .type = TOY_ET_COMP, .us = 3,     .data = {1}},
        {.id = 2,       .type = TOY_ET_COMP,                    .us = 4     },
    };
    GByteArray *files[] = {toy_et_file(nodes, 3), toy_et_file(nodes, 3)};
    g_autoptr(StratEtResult) result = replay("", "", files, 2);
    cr_expect_eq(result->makespan, MAX(move, 4000) + 3000);
}

Test(et_replay, a_receive_ends_with_its_send_or_when_the_receiver_comes)
{
    const int64_t move = ns(alone_s(TOPO_OP_SEND, 2, MIB, NULL));
    static const uint64_t before[][2] = {
        {10,   0   },
        {0,    10  },
        {0,    9000},
        {2000, 9000},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
        const ToyEtNode sender[] = {
            {.id = 0,    .type = TOY_ET_COMP, .us = before[i][0]},
            { .id = 1, .type = TOY_ET_SEND, .size = MIB,                   .peer = 1, .tag = 5, .data = {1}},
        };
        const ToyEtNode receiver[] = {
            {.id = 0,              .type = TOY_ET_COMP, .us = before[i][1]},
            {         .id = 1, .type = TOY_ET_RECV,         .size = MIB,          .peer = 0, .tag = 5, .data = {1}},
            { .id = 2,                    .type = TOY_ET_COMP,                                 .us = 1,             .data = {2}},
        };
        GByteArray *files[] = {toy_et_file(sender, 2), toy_et_file(receiver, 3)};
        g_autoptr(StratEtResult) result = replay("", "", files, 2);
        int64_t there = (int64_t)before[i][0] * 1000 + move, here = (int64_t)before[i][1] * 1000;
        cr_expect_eq(result->makespan, MAX(there, here) + 1000, "case %zu", i);
        int64_t waits = MAX((int64_t)before[i][0] * 1000 - here, 0);
        cr_expect_eq(result->rank[1].ns[STRAT_ET_ACCOUNT_WAIT], waits, "case %zu", i);
        cr_expect_eq(result->rank[0].late_ns, waits, "case %zu", i);
    }
}

Test(et_replay, who_comes_last_is_charged_what_others_wait)
{
    GByteArray *files[4];
    for (uint64_t r = 0; r < 4; r++) {
        const ToyEtNode nodes[] = {
            {.id = 0,              .type = TOY_ET_COMP, .us = r == 2 ? 30 : 10},
            { .id = 1, .type = TOY_ET_COLL,         .size = MIB,            .data = {1}},
        };
        files[r] = toy_et_file(nodes, 2);
    }
    g_autoptr(StratEtResult) result = replay("", "", files, 4);
    cr_expect_eq(result->makespan, 30000 + ns(alone_s(TOPO_OP_ALL_REDUCE, 4, MIB, NULL)));
    cr_expect_eq(result->total_ns[STRAT_ET_ACCOUNT_WAIT], 3 * 20000);
    cr_expect_eq(result->rank[2].late_ns, 3 * 20000);
    cr_expect_eq(result->rank[0].late_ns, 0);
}

Test(et_replay, groups_come_from_metadata_and_from_dimensions)
{
    const int64_t half = ns(alone_s(TOPO_OP_ALL_REDUCE, 4, MIB, NULL));
    GByteArray *named[8], *spanned[8];
    for (int r = 0; r < 8; r++) {
        const ToyEtNode nodes[] = {
            {.id = 0,
             .type = TOY_ET_METADATA,
             .values = r < 4 ? "['[{\"pg_name\": \"1\", \"ranks\": [0, 1, 2, 3]}]']"
                             : "['[{\"pg_name\": \"1\", \"ranks\": [4, 5, 6, 7]}]']"},
            { .id = 1, .type = TOY_ET_COLL, .size = MIB,                         .group = "1"},
        };
        const ToyEtNode spans = {.type = TOY_ET_COLL, .size = MIB, .spans = "10"};
        named[r] = toy_et_file(nodes, 2);
        spanned[r] = toy_et_file(&spans, 1);
    }
    g_autoptr(StratEtResult) by_name = replay("", "", named, 8);
    cr_expect_eq(by_name->makespan, half);
    cr_expect_eq(by_name->collectives, 2);
    g_autoptr(StratEtResult) by_dimension = replay("dimensions: [4, 2]", "", spanned, 8);
    cr_expect_eq(by_dimension->makespan, half);
    cr_expect_eq(by_dimension->collectives, 2);
}

/* All-reduces of all 16 GPUs in two communicators at once: closed forms let each have all links, the
 * fluid network shares them, so that both take longer, and at most as long as one after the other. */
static SimTime time_of(const char *network, bool twice)
{
    static const char groups[] = "['[{\"pg_name\": \"other\", \"ranks\": []}]']";
    const ToyEtNode nodes[] = {
        {.id = 0,              .type = TOY_ET_METADATA, .values = groups},
        {       .id = 1, .type = TOY_ET_COLL,        .size = 64 * MIB                },
        { .id = 2,    .type = TOY_ET_COLL,           .size = 64 * MIB,                 .group = "other"},
    };
    GByteArray *files[16];
    for (int r = 0; r < 16; r++)
        files[r] = toy_et_file(nodes, twice ? 3 : 2);
    g_autoptr(StratEtResult) result = replay("", network, files, 16);
    cr_expect_eq(result->hot_links != NULL, network[0] != '\0');
    return result->makespan;
}

Test(et_replay, communicators_share_links_in_the_fluid_network)
{
    const char *fluid = "network: fluid\nfabric: {kind: rail-optimised}\n";
    cr_expect_eq(time_of("", true), time_of("", false));
    SimTime alone = time_of(fluid, false), both = time_of(fluid, true);
    cr_expect_gt(both, alone * 5 / 4, "%ld, alone %ld", (long)both, (long)alone);
    cr_expect_leq(both, alone * 2, "%ld, alone %ld", (long)both, (long)alone);
}

Test(et_replay, traces_whose_ranks_disagree_are_refused)
{
    const ToyEtNode small = {.type = TOY_ET_COLL, .size = MIB};
    const ToyEtNode large = {.type = TOY_ET_COLL, .size = 2 * MIB};
    const ToyEtNode nobody = {.type = TOY_ET_COLL, .size = MIB, .group = "9"};
    const ToyEtNode send = {.type = TOY_ET_SEND, .size = MIB, .peer = 1};
    const ToyEtNode beyond = {.type = TOY_ET_SEND, .size = MIB, .peer = 2};
    const ToyEtNode compute = {.type = TOY_ET_COMP, .us = 1};
    const struct {
        ToyEtNode a, b;
        const char *want;
    } cases[] = {
        {small,  large,
         "collective 1 of group '0' is an all-reduce of 2097152 bytes here, of rank 0" },
        {small,  compute,
         "t.0.et: node 0 'n': its collective in group '0' has 2 members, of which 1 "
         "never run it: rank 1"                                                        },
        {nobody, nobody,  "nobody says who is in process group '9'"                    },
        {send,   compute, "from rank 0 to rank 1 with tag 0 are 1 sends and 0 receives"},
        {beyond, compute, "sends to rank 2, of ranks 0 to 1"                           },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GByteArray *files[] = {toy_et_file(&cases[i].a, 1), toy_et_file(&cases[i].b, 1)};
        expect_refused("", files, 2, cases[i].want);
    }
}

Test(et_replay, ranks_that_wait_for_each_other_are_named)
{
    static const char groups[] = "['[{\"pg_name\": \"a\", \"ranks\": []}, {\"pg_name\": \"b\", "
                                 "\"ranks\": []}]']";
    GByteArray *files[2];
    for (int r = 0; r < 2; r++) {
        const ToyEtNode nodes[] = {
            {.id = 0,                .type = TOY_ET_METADATA, .values = groups},
            {       .id = 1, .type = TOY_ET_COLL, .name = "first",                            .size = MIB, .group = r ? "b" : "a"},
            { .id = 2,
             .type = TOY_ET_COLL,
             .name = "then",
             .size = MIB,
             .group = r ? "a" : "b",
             .data = {2}},
        };
        files[r] = toy_et_file(nodes, 3);
    }
    expect_refused(
        "", files, 2,
        "deadlock: ranks of the trace wait for each other, 4 of 6 nodes never run; rank 0 "
        "node 1 'first' waits for rank 1 in group 'a'; rank 1 node 1 'first' waits for "
        "rank 0 in group 'b'");
}

/* Without contention the program runs exactly as the schedule that ordered it; on a network that
 * shares links nothing deadlocks and everything ends. */
Test(et_replay, a_transformer_runs_on_every_network)
{
    static const char *const networks[] = {"", "network: fluid\nfabric: {kind: rail-optimised}\n"};
    SimTime took[2];
    for (size_t n = 0; n < G_N_ELEMENTS(networks); n++) {
        GByteArray *files[16];
        for (uint32_t r = 0; r < 16; r++)
            files[r] = toy_et_transformer(r, 16, 8, 4);
        g_autoptr(StratEtResult) result = replay("compute: roofline", networks[n], files, 16);
        took[n] = result->makespan;
        cr_expect_eq(result->nodes, 16 * (1 + 2 * 4 * 4 + 4 + 1));
        for (uint32_t r = 1; r < 16; r++)
            cr_expect_eq(result->rank[r].ns[STRAT_ET_ACCOUNT_COMPUTE],
                         result->rank[0].ns[STRAT_ET_ACCOUNT_COMPUTE]);
    }
    cr_expect_gt(took[0], 0);
    cr_expect_gt(took[1], 0);
}
