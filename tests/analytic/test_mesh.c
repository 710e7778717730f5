/* Groups inside a domain without a switch: the hybrid cube mesh by its figure, and full meshes. */
#include "topo_mesh.h"
#include "topo_net.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

Test(mesh, a_group_has_the_links_between_its_own_members)
{
    static const struct {
        const char *scale_up;
        int64_t size, group;
        double want;
    } cases[] = {
        {"nvlink-mesh",     8, 2, 1.0 / 6.0}, /* GPUs 0 and 1 share one link of six */
        {"nvlink-mesh",     8, 4, 4.0 / 6.0}, /* 1 + 1 + 2 */
        {"nvlink-mesh",     8, 8, 1.0      },
        {"infinity-fabric", 8, 2, 1.0 / 7.0},
        {"infinity-fabric", 8, 4, 3.0 / 7.0},
        {"nvlink-mesh",     4, 2, 1.0 / 3.0},
        {"nvswitch",        8, 2, 1.0      },
        {"pcie",            8, 2, 1.0      },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        TopoNode node = toy_world().cluster.node;
        node.scale_up = cases[i].scale_up;
        node.scale_up_gpus = cases[i].size;
        double got = topo_mesh_group_share(&node, cases[i].group);
        cr_expect(fabs(got - cases[i].want) < 1e-12, "case %zu: %g, not %g", i, got, cases[i].want);
    }
}

/* An all-gather of b bytes over two GPUs moves b / 2 over the one link that they share. */
Test(mesh, a_collective_of_two_takes_six_times_as_long_on_a_cube_mesh)
{
    ToyWorld world = toy_world();
    TopoTransfer transfer = {
        .op = TOPO_OP_ALL_GATHER, .ranks = 2, .ranks_per_domain = 2, .bytes = 6e8};
    double with = topo_net_alpha_beta_s(&world.cluster, &transfer);
    world.cluster.node.scale_up = "nvlink-mesh";
    double without = topo_net_alpha_beta_s(&world.cluster, &transfer);
    cr_expect(fabs(without - 3e8 / (1e11 / 6.0)) < 1e-9, "%g", without);
    cr_expect(fabs(without / with - 6.0) < 1e-9, "%g over %g", without, with);
}
