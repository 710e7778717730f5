/*
 * Sets of devices by example, pairings against their definitions, and the proof that rows of wires
 * say all that a builder does: a leaf-spine written as two rows is the built one, link by link.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_fabric.h"

Test(topo_devices, are_one_or_a_range_or_every_nth)
{
    TopoDevices set;
    cr_assert(topo_devices_parse("leaf/3", &set, NULL));
    cr_expect(set.kind == TOPO_VERTEX_LEAF && set.count == 1 && topo_devices_at(&set, 0) == 3);
    cr_assert(topo_devices_parse("nic/4..7", &set, NULL));
    cr_expect(set.kind == TOPO_VERTEX_NIC && set.count == 4 && topo_devices_at(&set, 3) == 7);
    cr_assert(topo_devices_parse("nic/2..27/8", &set, NULL));
    cr_expect(set.count == 4 && topo_devices_at(&set, 3) == 26, "27 is not an eighth from 2");
    cr_assert(topo_devices_parse("gpu/5..5", &set, NULL));
    cr_expect(set.count == 1);
}

Test(topo_devices, that_make_no_sense_are_refused)
{
    static const char *const wrong[][2] = {
        {"hub/0",              "unknown device 'hub/0'"     },
        {"leaf",               "unknown device 'leaf'"      },
        {"leaf/a..3",          "unknown device 'leaf/a'"    },
        {"leaf/0..",           "'leaf/0..' is no range"     },
        {"leaf/0..x",          "is no range; devices are"   },
        {"leaf/0..4/0",        "is no range"                },
        {"leaf/0..4/2/1",      "is no range"                },
        {"leaf/4..3",          "ends before it begins"      },
        {"leaf/0..4000000000", "more than a million devices"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        TopoDevices set;
        g_autoptr(GError) error = NULL;
        cr_assert(!topo_devices_parse(wrong[i][0], &set, &error), "%s", wrong[i][0]);
        cr_expect(strstr(error->message, wrong[i][1]) != NULL, "%s", error->message);
    }
}

static const struct {
    const char *from, *to;
    TopoPairing pairing;
    const char *want; /* pairs by number */
} pairings[] = {
    {"nic/0..2",   "leaf/4..6",  TOPO_PAIRING_EACH,   "0-4 1-5 2-6 "            },
    {"nic/3",      "leaf/0..1",  TOPO_PAIRING_EACH,   "3-0 3-1 "                },
    {"nic/0..1",   "leaf/3",     TOPO_PAIRING_EACH,   "0-3 1-3 "                },
    {"leaf/0..1",  "spine/0..2", TOPO_PAIRING_ALL,    "0-0 0-1 0-2 1-0 1-1 1-2 "},
    {"nic/0..3",   "leaf/0..1",  TOPO_PAIRING_BLOCKS, "0-0 1-0 2-1 3-1 "        },
    {"leaf/0..1",  "nic/0..3",   TOPO_PAIRING_BLOCKS, "0-0 0-1 1-2 1-3 "        },
    {"nic/0..3",   "leaf/0..1",  TOPO_PAIRING_TURNS,  "0-0 1-1 2-0 3-1 "        },
    {"leaf/0..2",  "leaf/0..2",  TOPO_PAIRING_ALL,    "0-1 1-2 2-0 "            },
    {"leaf/0..3",  "leaf/0..3",  TOPO_PAIRING_ALL,    "0-1 1-2 2-3 3-0 0-2 1-3 "},
    {"leaf/0..1",  "leaf/1..2",  TOPO_PAIRING_EACH,   "0-1 1-2 "                },
    {"nic/0..8/4", "leaf/0..2",  TOPO_PAIRING_EACH,   "0-0 4-1 8-2 "            },
};

Test(topo_devices, are_paired_as_the_pairing_says)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pairings); i++) {
        TopoDevices a, b;
        g_autoptr(GString) got = g_string_new(NULL);
        cr_assert(topo_devices_parse(pairings[i].from, &a, NULL));
        cr_assert(topo_devices_parse(pairings[i].to, &b, NULL));
        size_t count = topo_devices_pairs(&a, &b, pairings[i].pairing, NULL);
        for (size_t p = 0; p < count; p++) {
            uint32_t from, to;
            topo_devices_pair_at(&a, &b, pairings[i].pairing, p, &from, &to);
            g_string_append_printf(got, "%u-%u ", from, to);
        }
        cr_expect_str_eq(got->str, pairings[i].want, "case %zu: %s", i, got->str);
    }
}

static const TopoNode node = {
    .gpus = 4,
    .scale_up_gpus = 4,
    .scale_up = "nvswitch",
    .scale_up_bytes_per_s = 600e9,
    .scale_up_latency_s = 1e-6,
    .nics = 4,
    .nic_bytes_per_s = 50e9,
    .nic_latency_s = 1.3e-6,
    .host_bytes_per_s = 63e9,
};

Test(topo_devices, rows_of_wires_say_all_that_a_builder_does)
{
    static const TopoFabricLink rows[] = {
        {"nic/0..31", "leaf/0..7",  50e9, NAN, NAN, 1, false, TOPO_PAIRING_BLOCKS},
        {"leaf/0..7", "spine/0..3", 50e9, NAN, NAN, 1, false, TOPO_PAIRING_ALL   },
    };
    TopoCluster cluster = {.node = node, .node_count = 8, .gpu_count = 32};
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &cluster);
    spec.radix = 8;
    spec.fec_latency_s = 0.1e-6;
    g_autoptr(TopoFabric) built = topo_fabric_new(&spec, NULL);
    spec.fabric = "custom";
    spec.links = rows;
    spec.link_count = G_N_ELEMENTS(rows);
    g_autoptr(GError) error = NULL;
    g_autoptr(TopoFabric) written = topo_fabric_new(&spec, &error);
    cr_assert(built && written, "%s", error ? error->message : "");
    uint32_t count = topo_graph_link_count(built->graph);
    cr_assert(topo_graph_link_count(written->graph) == count);
    for (uint32_t i = 0; i < count; i++) {
        const TopoLink *a = topo_graph_link(built->graph, i);
        const TopoLink *b = topo_graph_link(written->graph, i);
        cr_expect(a->from == b->from && a->to == b->to, "link %u", i);
        cr_expect(fabs(topo_link_latency_s(a) - topo_link_latency_s(b)) < 1e-15, "link %u", i);
        cr_expect(fabs(a->bytes_per_s - b->bytes_per_s) < 1.0, "link %u", i);
    }
}

Test(topo_devices, rows_that_do_not_fit_are_named)
{
    static const struct {
        TopoFabricLink link;
        const char *want;
    } wrong[] = {
        {{"nic/0..3", "leaf/0..1", 1, 0, 0, 1, false, 0},
         "fabric.links[0]: 4 devices cannot be joined with 2 one by one: pairing all, blocks"                     },
        {{"nic/0..2", "leaf/0..1", 1, 0, 0, 1, false, TOPO_PAIRING_TURNS},
         "3 devices cannot be joined with 2 without leaving some over"                                            },
        {{"nic/4..12", "leaf/0", 1, 0, 0, 1, false, 0},                          "names nic/12: the cluster has 8"},
        {{"gpu/0..8", "leaf/0", 1, 0, 0, 1, false, 0},                           "names gpu/8: the cluster has 8" },
        {{"cpu/0..8", "leaf/0", 1, 0, 0, 1, false, 0},                           "names cpu/4: the cluster has 4" },
        {{"leaf/0..3", "leaf/3..6", 1, 0, 0, 1, false, TOPO_PAIRING_ALL},
         "from leaf/3: must lead to another device"                                                               },
        {{"nic/0..3", "leaf/0..6/2", 1, 0, 0, 1, false, 0},                      "leaf/6 but not leaf/1"          },
        {{"leaf/0", "leaf/0", 1, 0, 0, 1, false, TOPO_PAIRING_ALL},              "make no pair"                   },
        {{"leaf/0..3000", "spine/0..3000", 1, 0, 0, 1, false, TOPO_PAIRING_ALL},
         "make more than four million pairs"                                                                      },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        TopoCluster cluster = {.node = node, .node_count = 2, .gpu_count = 8};
        TopoFabricSpec spec = topo_fabric_spec_default("custom", &cluster);
        spec.links = &wrong[i].link;
        spec.link_count = 1;
        g_autoptr(GError) error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(!fabric, "case %zu was built", i);
        cr_expect(strstr(error->message, wrong[i].want) != NULL, "case %zu: %s", i, error->message);
    }
}
