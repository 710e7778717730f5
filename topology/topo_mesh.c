/* GPUs that are joined in pairs.
 *
 *   nvlink-mesh      8 GPUs: the hybrid cube mesh of DGX-1 V100 (whitepaper WP-08437, figure 4),
 *                    single and double links of six a GPU; other counts: all pairs alike
 *   infinity-fabric  all pairs alike (AMD MI300X platform data sheet)
 *
 * A ring over some GPUs of a domain runs over links between these alone, so that each puts through
 *
 *   rate * least over members (links to other members / all links)
 *
 * of its scale-up rate: on the cube mesh 1/6 for two GPUs, 4/6 for four and all for eight (NCCL
 * lays as many rings as there are links). Groups of a tensor-parallel plan run at once and wait for
 * each other through the data-parallel ones, so the worst of them counts.
 *
 * Left out: paths over GPUs outside the group, groups that are no neighbours. */
#include "topo_mesh.h"

#include <glib.h>

/* DGX-1 V100: NVLinks between each two GPUs, of six a GPU. */
static const uint8_t cube_mesh[8][8] = {
    {0, 1, 1, 2, 2, 0, 0, 0},
    {1, 0, 2, 1, 0, 2, 0, 0},
    {1, 2, 0, 2, 0, 0, 1, 0},
    {2, 1, 2, 0, 0, 0, 0, 1},
    {2, 0, 0, 0, 0, 1, 1, 2},
    {0, 2, 0, 0, 1, 0, 2, 1},
    {0, 0, 1, 0, 1, 2, 0, 2},
    {0, 0, 0, 1, 2, 1, 2, 0},
};
static const double cube_mesh_links = 6.0;

bool topo_mesh_is(const TopoNode *node)
{
    return g_strcmp0(node->scale_up, "nvlink-mesh") == 0 ||
           g_strcmp0(node->scale_up, "infinity-fabric") == 0;
}

double topo_mesh_share(const TopoNode *node, int64_t a, int64_t b)
{
    int64_t size = node->scale_up_gpus;
    bool is_cube =
        size == (int64_t)G_N_ELEMENTS(cube_mesh) && g_strcmp0(node->scale_up, "nvlink-mesh") == 0;
    if (a == b)
        return 0.0;
    return is_cube ? (double)cube_mesh[a][b] / cube_mesh_links : 1.0 / (double)(size - 1);
}

double topo_mesh_group_share(const TopoNode *node, int64_t count)
{
    int64_t size = node->scale_up_gpus;
    double least = 1.0;
    if (!topo_mesh_is(node) || count < 2)
        return least;
    for (int64_t a = 0; a < size / count * count; a++) {
        double share = 0.0;
        for (int64_t b = a / count * count; b < a / count * count + count; b++)
            share += topo_mesh_share(node, a, b);
        least = MIN(least, share);
    }
    return least;
}
