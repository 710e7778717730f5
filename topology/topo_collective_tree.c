/* The double binary tree.
 *
 * Two binary trees over all ranks, each of which reduces and then broadcasts one half of the
 * tensor in c chunks. An inner rank of one tree is a leaf of the other, so that all send about as
 * much: 2 S at most, in 2 ceil(log2 n) + c - 1 steps (Sanders, Speck, Traeff 2009, "Two-tree
 * algorithms for full bandwidth broadcast, reduction and scan", section 2; NCCL 2.4, whose bit
 * formulas these are). With l = lowest set bit of rank r > 0,
 *
 *   parent(r) = (r ^ l) | 2 l, or r ^ l when that is no rank;   the root is 0;
 *
 * the second tree is the first one mirrored (even n) or turned by one (odd n).
 *
 * In the pipeline a rank passes chunk a up at step height + a, when all its children have, and the
 * root begins with the way down at step depth. NCCL's trees run over nodes, with a chain inside
 * each; here the tree may run over all ranks of a group, or over one rail of a hierarchical
 * algorithm. */
#include "topo_collective_build.h"

typedef struct Tree {
    uint32_t ranks;
    uint32_t *parent; /* of each rank above 0 */
    uint32_t *height; /* of the subtree below each rank */
    uint32_t *depth;
} Tree;

static uint32_t parent_of(uint32_t rank, uint32_t ranks)
{
    uint32_t bit = rank & (~rank + 1);
    uint32_t up = (rank ^ bit) | (bit << 1);
    return up < ranks ? up : rank ^ bit;
}

static uint32_t log2_up(uint32_t n)
{
    uint32_t log = 0;
    while (((uint64_t)1 << log) < n)
        log++;
    return log;
}

/* Parents have a higher lowest bit than their children, so heights grow with the bit. */
static void tree_init(Tree *tree, uint32_t ranks)
{
    *tree =
        (Tree){ranks, g_new0(uint32_t, ranks), g_new0(uint32_t, ranks), g_new0(uint32_t, ranks)};
    for (uint32_t i = 1; i < ranks; i++)
        tree->parent[i] = parent_of(i, ranks);
    uint32_t levels = log2_up(ranks);
    for (uint32_t l = 0; l < levels; l++)
        for (uint32_t i = 1u << l; i < ranks; i += 2u << l)
            tree->height[tree->parent[i]] = MAX(tree->height[tree->parent[i]], tree->height[i] + 1);
    for (uint32_t l = levels; l-- > 0;)
        for (uint32_t i = 1u << l; i < ranks; i += 2u << l)
            tree->depth[i] = tree->depth[tree->parent[i]] + 1;
}

static void tree_clear(Tree *tree)
{
    g_free(tree->parent);
    g_free(tree->height);
    g_free(tree->depth);
}

/* The rank that plays @role in the second tree. */
static uint32_t second_tree(uint32_t role, uint32_t ranks)
{
    return ranks % 2 == 0 ? ranks - 1 - role : (role + 1) % ranks;
}

static void add_edge(TopoSchedule *schedule, const TopoSubgroup *group, const Tree *tree,
                     uint32_t child, uint32_t half, uint32_t chunks)
{
    uint32_t parent = tree->parent[child], low = child, high = parent;
    if (half == 1) {
        low = second_tree(child, tree->ranks);
        high = second_tree(parent, tree->ranks);
    }
    TopoMessage up = {.from = group->first + low * group->stride,
                      .to = group->first + high * group->stride,
                      .start = tree->height[child],
                      .block = group->block + half * chunks,
                      .blocks = 1,
                      .reduces = true,
                      .bytes = group->bytes / 2.0 / chunks};
    TopoMessage down = up;
    down.from = up.to;
    down.to = up.from;
    down.start = tree->height[0] + tree->depth[parent];
    down.reduces = false;
    topo_build_message(schedule, up);
    topo_build_message(schedule, down);
}

void topo_build_double_tree(TopoSchedule *schedule, const TopoSubgroup *group, uint32_t chunks)
{
    Tree tree;
    tree_init(&tree, group->ranks);
    for (uint32_t i = 1; i < group->ranks; i++) {
        add_edge(schedule, group, &tree, i, 0, chunks);
        add_edge(schedule, group, &tree, i, 1, chunks);
    }
    tree_clear(&tree);
}

uint32_t topo_build_double_tree_steps(uint32_t ranks)
{
    return 2 * log2_up(ranks);
}

double topo_build_double_tree_share(uint32_t ranks)
{
    return ranks > 3 ? 2.0 : ranks == 3 ? 1.5 : ranks == 2 ? 1.0 : 0.0;
}

void topo_tree_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t chunks = topo_build_chunks(call);
    const TopoSubgroup all = {
        .stride = 1, .ranks = call->ranks, .blocks = 2 * chunks, .bytes = call->bytes};
    schedule->blocks = 2 * chunks;
    TopoPhase *phase =
        topo_build_phase(schedule, topo_build_double_tree_steps(call->ranks) + chunks - 1);
    phase->active = chunks;
    phase->block = (TopoTurn){chunks, 1};
    topo_build_double_tree(schedule, &all, chunks);
}

/* Each edge carries one half up and one half down: counts the edges that touch each rank within
 * its domain, and those that leave each domain. */
void topo_tree_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    uint32_t n = call->ranks, k = call->ranks_per_domain, domains = topo_build_domains(call);
    g_autofree uint32_t *inside = g_new0(uint32_t, n);
    g_autofree uint32_t *leaving = g_new0(uint32_t, domains);
    uint32_t most_inside = 0, most_leaving = 0;
    for (uint32_t i = 1; i < n; i++) {
        uint32_t up = parent_of(i, n);
        uint32_t pairs[2][2] = {
            {i,               up},
            { second_tree(i, n), second_tree(up, n)}
        };
        for (uint32_t t = 0; t < 2; t++) {
            uint32_t a = pairs[t][0], b = pairs[t][1];
            uint32_t *x = a / k == b / k ? &inside[a] : &leaving[a / k];
            uint32_t *y = a / k == b / k ? &inside[b] : &leaving[b / k];
            x[0]++;
            y[0]++;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        most_inside = MAX(most_inside, inside[i]);
        most_leaving = MAX(most_leaving, leaving[i / k]);
    }
    cost->port_bytes = topo_build_double_tree_share(n) * call->bytes;
    cost->inside_bytes = most_inside * call->bytes / 2.0;
    cost->domain_out_bytes = most_leaving * call->bytes / 2.0;
    cost->steps = topo_build_double_tree_steps(n) + topo_build_chunks(call) - 1.0;
    cost->steps_across = topo_build_double_tree_steps(domains);
}
