/* Tori: every accelerator is its own switch, joined to its neighbours in two or three dimensions.
 *
 * GPU i sits at x = i mod X, y = i / X mod Y, z = i / (X Y) and has a link to each neighbour, with
 * wrap-around (Jouppi et al. 2023, TPU v4, section 2: 4^3 blocks wired into a 3D torus; six links
 * of 50 GB/s each way). Its scale-up rate is that of all links together, so a link has
 *
 *   rate = scale_up_bytes_per_s / (2 D)
 *
 * and the bisection across an even longest dimension m of N GPUs is 2 N / m links each way. A
 * dimension of 2 has one link instead of two to the same neighbour, one of 1 has none. The order of
 * links is -x +x -y +y -z +z, so a route that takes the first shortest link goes in the order of
 * dimensions (Dally, Seitz 1987). Left out: twisted tori, optical switches, NICs beside the torus.
 */
#include "topo_fabric_build.h"

static void fill_dims(int64_t gpus, int dimensions, int64_t dims[3])
{
    dims[0] = gpus;
    dims[1] = dims[2] = 1;
    int64_t best_sum = gpus + 2;
    for (int64_t z = 1; z * z * z <= gpus; z++) {
        if (gpus % z != 0 || (z > 1 && dimensions < 3))
            continue;
        for (int64_t y = z; z * y * y <= gpus; y++) {
            if (gpus / z % y != 0)
                continue;
            int64_t x = gpus / z / y;
            if (x + y + z < best_sum) {
                best_sum = x + y + z;
                dims[0] = x;
                dims[1] = y;
                dims[2] = z;
            }
        }
    }
}

static bool choose_dims(const TopoFabricSpec *spec, int dimensions, int64_t dims[3], GError **error)
{
    int64_t gpus = spec->cluster->node_count * spec->cluster->node.gpus, given = 1;
    fill_dims(gpus, dimensions, dims);
    const int64_t *want = spec->torus_dims;
    if (want[0] == 0 && want[1] == 0 && want[2] == 0)
        return true;
    for (int i = 0; i < 3; i++) {
        int64_t size = want[i] == 0 && i >= dimensions ? 1 : want[i];
        if (size < 1 || size > gpus || given > gpus / size || (i >= dimensions && size != 1))
            given = 0;
        given *= size;
    }
    if (given != gpus)
        return topo_fabric_fail(
            error,
            "torus_dims %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
            ": %s of %" G_GINT64_FORMAT " GPUs; %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
            " x %" G_GINT64_FORMAT " would fit",
            want[0], want[1], want[2], spec->fabric, gpus, dims[0], dims[1], dims[2]);
    for (int i = 0; i < 3; i++)
        dims[i] = MAX(want[i], 1);
    return true;
}

static void join_neighbours(const TopoFabricSpec *spec, TopoFabric *fabric, const int64_t dims[3],
                            int dimensions)
{
    const TopoNode *node = &spec->cluster->node;
    TopoLink link = {
        .bytes_per_s = node->scale_up_bytes_per_s / (2.0 * dimensions),
        .latency_s = node->scale_up_latency_s,
        .length_m = spec->leaf_length_m,
        .health_fraction = 1.0,
    };
    int64_t gpus = dims[0] * dims[1] * dims[2];
    for (int64_t i = 0; i < gpus; i++) {
        int64_t stride = 1;
        for (int d = 0; d < dimensions; stride *= dims[d], d++) {
            int64_t at = i / stride % dims[d];
            for (int64_t step = -1; step <= 1; step += 2) {
                if (dims[d] == 1 || (dims[d] == 2 && step > 0))
                    continue;
                int64_t next = (at + step + dims[d]) % dims[d];
                link.from = topo_graph_find(fabric->graph, TOPO_VERTEX_GPU, (uint32_t)i);
                link.to = topo_graph_find(fabric->graph, TOPO_VERTEX_GPU,
                                          (uint32_t)(i + (next - at) * stride));
                topo_graph_add_link(fabric->graph, link);
            }
        }
    }
}

static bool build_torus(const TopoFabricSpec *spec, TopoFabric *fabric, int dimensions,
                        GError **error)
{
    int64_t dims[3];
    if (!(spec->cluster->node.scale_up_bytes_per_s > 0.0))
        return topo_fabric_fail(error, "cluster.node.scale_up_bytes_per_s %g: must be above 0",
                                spec->cluster->node.scale_up_bytes_per_s);
    if (!choose_dims(spec, dimensions, dims, error) ||
        !topo_fabric_add_nodes(spec, fabric, false, error))
        return false;
    join_neighbours(spec, fabric, dims, dimensions);
    fabric->gpus_forward = true;
    return true;
}

bool topo_fabric_build_torus_2d(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_torus(spec, fabric, 2, error);
}

bool topo_fabric_build_torus_3d(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_torus(spec, fabric, 3, error);
}
