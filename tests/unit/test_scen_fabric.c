/* The network of a scenario: every key arrives where the builder reads it, rows of wires and of
 * unwell links become structs, and each fault is reported at its own line. */
#include "scen_errors.h"
#include "scen_load.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

/* Eight lines, so that what follows begins on line 9. */
static const char head[] =
    "model: {layers: 8, hidden: 512, heads: 8, vocab: 1000, max_sequence: 64}\n"
    "cluster: {node: dgx-h100, gpus: 16}\n"
    "plan:\n"
    "  base: nemo-2025\n"
    "  tensor: 8\n"
    "  global_batch: 16\n"
    "network: fluid\n"
    "fabric:\n";

static ScenScenario *load(const char *fabric, GError **error)
{
    g_autofree char *text = g_strconcat(head, fabric, NULL);
    ScenLoadOptions options = {0};
    return scen_scenario_parse("s.yaml", text, strlen(text), &options, error);
}

Test(scen_fabric, every_key_reaches_the_builder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) s = load("  kind: dual-plane\n"
                                     "  radix: 32\n"
                                     "  leaf_oversubscription: 2\n"
                                     "  spine_oversubscription: 3\n"
                                     "  nics_per_leaf: 4\n"
                                     "  leaves_per_pod: 16\n"
                                     "  pods: 1\n"
                                     "  flows_per_pair: 4\n"
                                     "  torus_dims: [4, 2, 2]\n"
                                     "  nvlink_generation: 4\n"
                                     "  gpus_per_pcie_switch: 4\n"
                                     "  sockets_per_node: 1\n"
                                     "  nodes_per_rack: 3\n"
                                     "  nic_latency: 100 ns\n"
                                     "  switch_latency: 200 ns\n"
                                     "  fec_latency: 300 ns\n"
                                     "  pcie_switch_latency: 400 ns\n"
                                     "  cpu_latency: 500 ns\n"
                                     "  socket_bandwidth: 60 GB/s\n"
                                     "  node_length: 1 m\n"
                                     "  leaf_length: 2 m\n"
                                     "  spine_length: 3 m\n"
                                     "  core_length: 4 m\n",
                                     &error);
    cr_assert(s, "%s", error ? error->message : "");
    TopoFabricSpec spec = scen_fabric_spec(&s->fabric, &s->cluster);
    cr_expect_str_eq(spec.fabric, "dual-plane");
    const int64_t whole[][2] = {
        {spec.radix,                32},
        {spec.nics_per_leaf,        4 },
        {spec.leaves_per_pod,       16},
        {spec.pods,                 1 },
        {spec.flows_per_pair,       4 },
        {spec.torus_dims[0],        4 },
        {spec.torus_dims[1],        2 },
        {spec.torus_dims[2],        2 },
        {spec.nvlink_generation,    4 },
        {spec.sockets_per_node,     1 },
        {spec.nodes_per_rack,       3 },
        {spec.gpus_per_pcie_switch, 4 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++)
        cr_expect(whole[i][0] == whole[i][1], "count %zu", i);
    const double real[][2] = {
        {spec.leaf_oversubscription,  2   },
        {spec.spine_oversubscription, 3   },
        {spec.nic_latency_s,          1e-7},
        {spec.switch_latency_s,       2e-7},
        {spec.fec_latency_s,          3e-7},
        {spec.pcie_switch_latency_s,  4e-7},
        {spec.cpu_latency_s,          5e-7},
        {spec.socket_bytes_per_s,     60e9},
        {spec.node_length_m,          1   },
        {spec.leaf_length_m,          2   },
        {spec.spine_length_m,         3   },
        {spec.core_length_m,          4   },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(real); i++)
        cr_expect(fabs(real[i][0] - real[i][1]) <= 1e-12 * real[i][1], "quantity %zu", i);
}

Test(scen_fabric, what_is_left_out_is_the_kinds_default)
{
    g_autoptr(ScenScenario) s = load("  kind: fat-tree\n", NULL);
    cr_assert(s);
    TopoFabricSpec want = topo_fabric_spec_default("fat-tree", &s->cluster);
    TopoFabricSpec got = scen_fabric_spec(&s->fabric, &s->cluster);
    got.fabric = want.fabric;
    cr_expect(memcmp(&got, &want, sizeof want) == 0);
}

static const char wired[] =
    "  kind: custom\n"
    "  links:\n"
    "    - {from: nic/0..15, to: leaf/0..1, pairing: blocks, rate: 400 Gbps, length: 3 m}\n"
    "    - {from: leaf/0, to: leaf/1, rate: 1.6 Tbps, latency: 0 s, health: 0.75, one_way: true}\n"
    "    - {from: leaf/1, to: leaf/0, rate: 1.6 Tbps}\n";

Test(scen_fabric, rows_become_wires_and_changes)
{
    g_autofree char *text =
        g_strconcat(wired,
                    "  health: [{link: leaf/0 -> leaf/1, both_ways: true, health: 0.5}]\n"
                    "  faults: [{link: nic/3, health: 0, at: 1 ms, until: 3 ms},\n"
                    "           {link: leaf/1, health: 0.1, at: 0 s}]\n"
                    "  moved_racks: [{rack: 0, by: 20 m}]\n",
                    NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) s = load(text, &error);
    cr_assert(s, "%s", error ? error->message : "");
    TopoFabricSpec spec = scen_fabric_spec(&s->fabric, &s->cluster);
    cr_assert(spec.link_count == 3);
    cr_expect_str_eq(spec.links[0].from, "nic/0..15");
    cr_expect_str_eq(spec.links[0].to, "leaf/0..1");
    cr_expect(spec.links[0].pairing == TOPO_PAIRING_BLOCKS && !spec.links[0].one_way);
    cr_expect(isnan(spec.links[0].latency_s) && fabs(spec.links[0].length_m - 3.0) < 1e-12);
    cr_expect(spec.links[1].latency_s <= 0.0 && isnan(spec.links[1].length_m));
    cr_expect(spec.links[1].one_way && fabs(spec.links[1].health_fraction - 0.75) < 1e-12);
    cr_expect(spec.links[2].pairing == TOPO_PAIRING_EACH && spec.links[2].health_fraction >= 1.0);
    cr_expect(fabs(spec.links[2].bytes_per_s - 200e9) < 1.0);
    TopoFabricChanges changes = scen_fabric_changes(&s->fabric);
    cr_assert(changes.health_count == 1 && changes.fault_count == 2 && changes.move_count == 1);
    cr_expect(changes.health[0].both_ways && fabs(changes.health[0].health_fraction - 0.5) < 1e-12);
    cr_expect(fabs(changes.faults[0].until_s - 3e-3) < 1e-15 && isinf(changes.faults[1].until_s));
    cr_expect(changes.moves[0].rack == 0 && fabs(changes.moves[0].length_m - 20.0) < 1e-12);
}

/* Faults with their places. */
static const struct {
    const char *fabric, *want;
} wrong[] = {
    {"  kind: custom\n  links:\n    - {from: nic/0..15, to: leaf/0}\n",
     "s.yaml:11:7: missing key 'rate' (of each wire, one direction"                                                                                                 },
    {"  kind: custom\n  links:\n    - {from: nick/0, to: leaf/0, rate: 1 Gbps}\n",
     "s.yaml:11:8: 'from': unknown device 'nick/0', want a kind and a number: gpu/0"                                                                                },
    {"  kind: custom\n  links:\n    - {from: nic/0..15, to: leaf/0, rate: 1 Gbps}\n"
     "    - {from: nic/99, to: leaf/0, rate: 1 Gbps}\n",                                        "s.yaml:12:7: fabric.links[1] names nic/99: the cluster has 16"},
    {"  kind: custom\n  links:\n    - {from: nic/0..15, to: leaf/0..1, rate: 1 Gbps}\n",
     "s.yaml:11:8: 16 devices cannot be joined with 2 one by one"                                                                                                   },
    {"  kind: custom\n  links:\n    - {from: nic/0..15, to: leaf/0, rate: 400}\n",
     "s.yaml:11:43: 'rate': '400' has no unit"                                                                                                                      },
    {"  kind: custom\n  links:\n    - {from: nic/0, to: leaf/0, rate: 1 Gbps, pairing: any}\n",
     "s.yaml:11:56: 'pairing' must be one of each, all, blocks, turns, not 'any'"                                                                                   },
    {"  kind: custom\n  links:\n    - {from: nic/0..15, to: leaf/1, rate: 1 Gbps}\n",
     "s.yaml:8:1: fabric.links name leaf/1 but not leaf/0"                                                                                                          },
    {"  kind: custom\n",                                                                             "s.yaml:9:3: missing key 'links' (wires of a custom fabric)"   },
    {"  kind: fat-tree\n  links: []\n",                                                              "s.yaml:10:3: 'links' are for kind custom, not fat-tree"       },
    {"  kind: fat-tree\n  radix: 2\n",                                                               "s.yaml:8:1: fabric.radix 2: too small for fat-tree"           },
    {"  kind: fat-tree\n  torus_dims: 4\n",
     "s.yaml:10:15: 'torus_dims' must be a list of two or three whole numbers, as in [4, 4, 2]"                                                                     },
    {"  kind: fat-tree\n  torus_dims: [4, 0]\n",                                                     "'torus_dims' must be a list of two or three"                  },
    {"  kind: torus-3d\n  torus_dims: [4, 4, 4]\n",                                                  "torus-3d of 16 GPUs; 4 x 2 x 2 would fit"                     },
    {"  kind: fat-tree\n  nic_latency: 3\n",                                                         "s.yaml:10:16: 'nic_latency': '3' has no unit"                 },
    {"  kind: fat-tree\n  health:\n    - {link: leaf/0 -> core/9999, health: 0}\n",
     "s.yaml:11:7: link 'leaf/0 -> core/9999': the fabric has no core/9999"                                                                                         },
    {"  kind: fat-tree\n  health:\n    - {link: nic/0, health: 2}\n",
     "s.yaml:11:29: 'health' must be a number from 0 to 1, not '2'"                                                                                                 },
    {"  kind: fat-tree\n  faults:\n    - {link: nic/0, health: 0.5}\n",
     "s.yaml:11:7: missing key 'at' (when it begins, from the start of the step, in s)"                                                                             },
    {"  kind: fat-tree\n  faults:\n    - {link: nic/0, health: 0, at: 1 ms}\n",
     "s.yaml:11:7: link 'nic/0': it goes down and never comes back"                                                                                                 },
    {"  kind: fat-tree\n  moved_racks:\n    - {rack: 9, by: 1 m}\n",
     "s.yaml:11:7: rack 9: the racks are 0 to 0"                                                                                                                    },
    {"  kind: custom\n  links:\n    - {from: nic/0..7, to: leaf/0, rate: 1 Gbps}\n"
     "    - {from: nic/8..15, to: leaf/1, rate: 1 Gbps}\n",                                     "s.yaml:10:3: no path from gpu/0 to gpu/8: 0 of the fabric's"  },
    {"  kind: custom\n  links:\n    - {from: nic/0..15, to: leaf/0, rate: 1 Gbps, one_way: true}\n",
     "s.yaml:10:3: no path from gpu/0 to gpu/8"                                                                                                                     },
    {"  kind: single-switch\n  health: [{link: nic/8..15, health: 0}]\n",
     "s.yaml:10:3: no path from gpu/0 to gpu/8"                                                                                                                     },
    {"  kind: fat-tree\n  moved_racks:\n    - {rack: 0}\n",                                          "s.yaml:11:7: missing key 'by'"                                },
};

Test(scen_fabric, each_fault_is_reported_at_its_place)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) s = load(wrong[i].fabric, &error);
        cr_assert(!s, "%s", wrong[i].fabric);
        cr_expect(g_error_matches(error, SCEN_ERROR, SCEN_ERROR_WRONG));
        cr_expect(strstr(error->message, wrong[i].want), "%s\n%s", wrong[i].fabric, error->message);
    }
}
