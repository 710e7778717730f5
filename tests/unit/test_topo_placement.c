/* Placements: which slot each rank gets, worked out by hand on small clusters; what every placement
 * must do on any; and each fault of a list. */
#include "topo_placement.h"

#include "topo_net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static TopoCluster cluster_of(int64_t nodes, int64_t gpus, int64_t domain)
{
    return (TopoCluster){
        .node = {.gpus = gpus, .scale_up_gpus = domain},
        .node_count = nodes,
        .gpu_count = nodes * gpus,
    };
}

static const struct {
    const char *placement;
    int64_t nodes, gpus, domain, ranks;
    int64_t taken; /* slots from 0 */
    int64_t want[16];
} cases[] = {
    {"packed",       4, 2, 2, 6, 0, {0, 1, 2, 3, 4, 5}      },
    {"packed",       4, 2, 2, 4, 3, {3, 4, 5, 6}            },
    {"spread",       4, 2, 2, 8, 0, {0, 1, 4, 5, 2, 3, 6, 7}},
    {"spread",       8, 1, 1, 8, 0, {0, 4, 2, 6, 1, 5, 3, 7}},
    {"spread",       8, 1, 1, 3, 0, {0, 4, 2}               },
    {"spread",       3, 2, 2, 6, 0, {0, 1, 4, 5, 2, 3}      },
    {"spread",       4, 2, 4, 8, 0, {0, 1, 2, 3, 4, 5, 6, 7}}, /* a domain of two nodes is whole */
    {"spread",       4, 2, 2, 4, 3, {4, 5, 3, 6}            }, /* of domain 1 only slot 3 is free */
    {"rail-aligned", 4, 2, 2, 8, 0, {0, 2, 4, 6, 1, 3, 5, 7}},
    {"rail-aligned", 4, 4, 4, 6, 0, {0, 4, 1, 5, 2, 3}      }, /* the second node has two of six */
    {"rail-aligned", 4, 2, 4, 4, 2, {2, 4, 3, 5}            },
};

Test(topo_placement, puts_ranks_where_the_hand_does)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        TopoCluster cluster = cluster_of(cases[i].nodes, cases[i].gpus, cases[i].domain);
        bool taken[16] = {false};
        for (int64_t s = 0; s < cases[i].taken; s++)
            taken[s] = true;
        TopoPlacementSpec spec = {.cluster = &cluster,
                                  .placement = cases[i].placement,
                                  .ranks = cases[i].ranks,
                                  .taken = taken};
        g_autofree int64_t *placed = topo_place(&spec, NULL);
        cr_assert(placed != NULL, "case %zu", i);
        for (int64_t r = 0; r < cases[i].ranks; r++)
            cr_expect(placed[r] == cases[i].want[r], "case %zu, rank %d: %d", i, (int)r,
                      (int)placed[r]);
    }
}

Test(topo_placement, gives_every_rank_a_free_gpu_of_its_own)
{
    size_t count = 0;
    const TopoPlacement *rows = topo_placement_all(&count);
    for (size_t p = 0; p < count; p++) {
        for (int64_t nodes = 1; rows[p].place && nodes <= 9; nodes++) {
            TopoCluster cluster = cluster_of(nodes, 6, nodes % 2 ? 3 : 12);
            int64_t slots = topo_slot_count(&cluster);
            g_autofree bool *used = g_new0(bool, slots);
            for (int64_t s = 0; s < slots; s += 5)
                used[s] = true;
            int64_t ranks = slots - (slots + 4) / 5;
            TopoPlacementSpec spec = {
                .cluster = &cluster, .placement = rows[p].name, .ranks = ranks, .taken = used};
            g_autofree int64_t *placed = topo_place(&spec, NULL);
            cr_assert(placed != NULL);
            for (int64_t r = 0; r < ranks; r++) {
                cr_expect(placed[r] >= 0 && placed[r] < slots && !used[placed[r]], "%s",
                          rows[p].name);
                used[placed[r]] = true;
            }
        }
    }
}

/* Of 2^k equal parts of the cluster, a spread job of 2^k domains has one domain in each. */
Test(topo_placement, spread_touches_as_many_leaves_as_it_can)
{
    TopoCluster cluster = cluster_of(64, 8, 8);
    for (int64_t domains = 1; domains <= 64; domains *= 2) {
        TopoPlacementSpec spec = {.cluster = &cluster, .placement = "spread", .ranks = domains * 8};
        g_autofree int64_t *placed = topo_place(&spec, NULL);
        bool part[64] = {false};
        for (int64_t b = 0; b < domains; b++) {
            int64_t at = placed[b * 8] / (512 / domains);
            cr_expect(!part[at], "%d domains, part %d twice", (int)domains, (int)at);
            part[at] = true;
        }
    }
}

static const struct {
    bool nodes;
    size_t count;
    int64_t list[6];
    const char *want; /* NULL: fine */
} lists[] = {
    {false, 4, {7, 0, 3, 5},  NULL                                                    },
    {true,  2, {3, 1},        NULL                                                    },
    {false, 3, {7, 0, 3},     "placement.gpus lists 3, but the job's 4 ranks need 4"  },
    {false, 4, {7, 0, 3, 7},  "placement.gpus lists 7 twice"                          },
    {false, 4, {7, 0, 3, 8},  "placement.gpus: 8 is not one of the cluster's, 0 to 7" },
    {false, 4, {-1, 0, 3, 4}, "placement.gpus: -1 is not one of the cluster's"        },
    {false, 4, {7, 0, 3, 6},  "placement: GPU 6 (node 3) is taken by another job"     },
    {true,  3, {0, 1, 2},     "placement.nodes lists 3, but the job's 4 ranks need 2" },
    {true,  2, {0, 4},        "placement.nodes: 4 is not one of the cluster's, 0 to 3"},
};

Test(topo_placement, lists_are_taken_as_they_are_or_refused)
{
    TopoCluster cluster = cluster_of(4, 2, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        bool taken[8] = {[6] = !lists[i].nodes};
        TopoPlacementSpec spec = {
            .cluster = &cluster,
            .placement = "custom",
            .ranks = 4,
            .taken = taken,
            .listed = lists[i].list,
            .listed_count = lists[i].count,
            .lists_nodes = lists[i].nodes,
        };
        g_autoptr(GError) error = NULL;
        g_autofree int64_t *placed = topo_place(&spec, &error);
        const char *message = error ? error->message : "";
        cr_expect((placed == NULL) == (lists[i].want != NULL), "case %zu: %s", i, message);
        if (lists[i].want)
            cr_expect(strstr(message, lists[i].want), "case %zu: %s", i, message);
        for (int64_t r = 0; placed && r < 4; r++) {
            int64_t want = lists[i].nodes ? lists[i].list[r / 2] * 2 + r % 2 : lists[i].list[r];
            cr_expect(placed[r] == want, "case %zu, rank %d", i, (int)r);
        }
    }
}

Test(topo_placement, a_node_in_part_gives_its_first_gpus)
{
    TopoCluster cluster = cluster_of(4, 4, 4);
    int64_t nodes[] = {2, 1};
    TopoPlacementSpec spec = {.cluster = &cluster,
                              .placement = "custom",
                              .ranks = 6,
                              .listed = nodes,
                              .listed_count = 2,
                              .lists_nodes = true};
    g_autofree int64_t *placed = topo_place(&spec, NULL);
    const int64_t want[] = {8, 9, 10, 11, 4, 5};
    cr_assert(placed != NULL);
    cr_expect(memcmp(placed, want, sizeof want) == 0);
}

Test(topo_placement, says_what_does_not_fit)
{
    TopoCluster cluster = cluster_of(4, 2, 2);
    g_autoptr(GError) few = NULL, unknown = NULL, listed = NULL;
    bool taken[8] = {true, true};
    TopoPlacementSpec spec = {.cluster = &cluster, .ranks = 7, .taken = taken};
    cr_expect_null(topo_place(&spec, &few));
    cr_expect_str_eq(few->message, "7 ranks do not fit the 6 free GPUs of 8");
    spec.placement = "scattered";
    cr_expect_null(topo_place(&spec, &unknown));
    cr_expect_str_eq(unknown->message,
                     "unknown placement 'scattered', known: packed spread rail-aligned custom");
    int64_t gpu = 0;
    TopoPlacementSpec both = {
        .cluster = &cluster, .placement = "spread", .ranks = 1, .listed = &gpu, .listed_count = 1};
    cr_expect_null(topo_place(&both, &listed));
    cr_expect(strstr(listed->message, "a list is for custom"), "%s", listed->message);
}
