/* Replays against figures that were published of ASTRA-sim, on the wires that it was given there.
 *
 * An all-reduce of 4 KB by a ring of n NPUs on a switch, links of 50 GB/s and 500 ns, analytical
 * network: 24, 57, 121, 251 and 509 us for n = 4 to 64 (kredd2506.github.io/Astro, 2026-06-09, "When
 * does topology matter"). ASTRA-sim's ring example (examples/system/native_collectives,
 * Ring_4chunks.json) cuts a collective into 4 pieces that follow each other and adds 10 ns at the end
 * of each message, so that
 *
 *   time = 4 x 2 (n - 1) x (2 links x 500 ns + 10 ns + bytes / (4 n) / 50 GB/s)
 *
 * Here the pieces are collectives of their own, one behind the other, and a step's latency is that of
 * the wires' protocol. The figures are whole microseconds: within half of one. */
#include "scen_load.h"
#include "toy_et.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { PIECES = 4, BYTES = 4096 };

static const char cluster[] =
    "cluster:\n"
    "  gpus: %d\n"
    "  node:\n"
    "    source: ASTRA-sim Ring_4chunks.json\n"
    "    gpu: h100-sxm\n"
    "    gpus: 64\n"
    "    scale_up: nvswitch\n"
    "    scale_up_gpus: 64\n"
    "    scale_up_bandwidth: 50 GB/s\n"
    "    scale_up_latency: 500 ns\n"
    "    nics: 8\n"
    "    nic_bandwidth: 400 Gbps\n"
    "    nic_latency: 1 us\n"
    "    host_bandwidth: 50 GB/s\n"
    "    scale_up_protocols:\n"
    "      source: ASTRA-sim Ring_4chunks.json\n"
    "      all_reduce: &ring\n"
    "        simple: {base_latency: 0.001 ns, hop_latency: 1.01 us, fraction: 1}\n"
    "      all_gather: *ring\n"
    "      reduce_scatter: *ring\n"
    "      all_to_all: *ring\n"
    "execution_trace: {files: t.%%d.et, algorithm: ring}\n";

static ScenScenario *scenario_of(int gpus)
{
    g_autofree char *text = g_strdup_printf(cluster, gpus);
    ScenLoadOptions options = {.data_dir = NULL};
    GError *error = NULL;
    ScenScenario *scenario = scen_scenario_parse("t.yaml", text, strlen(text), &options, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    return scenario;
}

Test(et_astra, a_ring_on_a_switch_takes_what_was_published)
{
    static const struct {
        int npus;
        double published_us;
    } rows[] = {
        {4,  24.0 },
        {8,  57.0 },
        {16, 121.0},
        {32, 251.0},
        {64, 509.0},
    };
    ToyEtNode nodes[PIECES];
    for (uint64_t i = 0; i < PIECES; i++)
        nodes[i] = (ToyEtNode){.id = i, .type = TOY_ET_COLL, .size = BYTES / PIECES};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        GByteArray *files[64];
        for (int r = 0; r < rows[i].npus; r++)
            files[r] = toy_et_file(nodes, PIECES);
        g_autoptr(ScenScenario) scenario = scenario_of(rows[i].npus);
        g_autoptr(GError) error = NULL;
        g_autoptr(StratEtResult) result = toy_et_replay(scenario, files, rows[i].npus, &error);
        cr_assert(result, "%s", error ? error->message : "");
        double n = rows[i].npus, us = (double)result->makespan * 1e-3;
        double form = PIECES * 2.0 * (n - 1.0) * (1.01 + BYTES / PIECES / n / 50e3);
        cr_expect_lt(fabs(us - form), 0.02, "%d NPUs: %.3f us, form %.3f", rows[i].npus, us, form);
        cr_expect_leq(fabs(us - rows[i].published_us), 0.5, "%d NPUs: %.2f us, published %.0f",
                      rows[i].npus, us, rows[i].published_us);
        for (int r = 0; r < rows[i].npus; r++)
            g_byte_array_unref(files[r]);
    }
}
