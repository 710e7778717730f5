/* Which node a fault hits. Three ways in which nodes differ:
 *
 * Lemons: a share q of the nodes fails m times as often as the others, at the same mean rate; a
 * fault hits one of them with the chance q m / (1 - q + q m).
 *
 * Gamma: node i of n has a rate of Gamma(k) over the sum of all (Titan: 1 % of the GPUs had 19 % of
 * the events, Ostrouchov et al., SC20), drawn anew for each class and history. Rates over their sum
 * are a Dirichlet vector, and draws by it are Polya's urn: after f faults, of which f_i hit node i,
 *
 *     P(node i) = (k + f_i) / (n k + f)
 *
 * so no node has a rate that would have to be kept, and a fault costs O(1).
 *
 * Height: a rack's parts from bottom to top have rates of their own, as Titan's cages (3.91, 5.87
 * and 6.62 double bit errors in a million hours). Fresh nodes are drawn with that weight, which
 * makes the urn's k proportional to it. Left out: heights of domains. */
#include "strat_fault_place.h"

#include <math.h>

StratFaultPlaces strat_fault_places_new(const StratFaultModel *model)
{
    if (model->node_shape <= 0.0)
        return (StratFaultPlaces){0};
    return (StratFaultPlaces){
        .hits = g_array_new(FALSE, FALSE, sizeof(int64_t)),
        .count = g_hash_table_new(NULL, NULL),
    };
}

void strat_fault_places_clear(StratFaultPlaces *places)
{
    g_clear_pointer(&places->hits, g_array_unref);
    g_clear_pointer(&places->count, g_hash_table_unref);
}

/* A node that no fault has pointed at, lemons with their weight. */
static int64_t draw_fresh(const StratFaultModel *model, int64_t nodes, SimRandom *stream)
{
    int64_t lemons = llround(model->lemon_fraction * (double)nodes);
    double weight = (double)lemons * model->lemon_factor;
    double chance = weight / (weight + (double)(nodes - lemons));
    if (lemons > 0 && sim_random_uniform(stream) < chance)
        return (int64_t)sim_random_below(stream, (uint64_t)lemons);
    return lemons + (int64_t)sim_random_below(stream, (uint64_t)(nodes - lemons));
}

/* Whether a fault that points at @node meets the rate of its height. */
static bool is_met(const StratFaultModel *model, const StratFaultClass *c, int64_t node,
                   SimRandom *stream)
{
    if (c->heights == 0)
        return true;
    int64_t rack = model->site.nodes_per_rack;
    double top = 0.0, here = c->height[node % rack * c->heights / rack];
    for (int64_t i = 0; i < c->heights; i++)
        top = MAX(top, c->height[i]);
    return sim_random_uniform(stream) * top < here;
}

/* Counts a hit of @node; returns its rate over that of the mean node, by what has been seen. */
static double count_hit(StratFaultPlaces *places, double shape, int64_t nodes, int64_t node)
{
    gpointer key = GINT_TO_POINTER((gint)node);
    int64_t before = GPOINTER_TO_INT(g_hash_table_lookup(places->count, key));
    double mean = ((double)nodes * shape + (double)places->hits->len) / (double)nodes;
    g_hash_table_insert(places->count, key, GINT_TO_POINTER((gint)before + 1));
    g_array_append_val(places->hits, node);
    return (shape + (double)before) / mean;
}

static int64_t draw_node(StratFaultPlaces *places, const StratFaultModel *model,
                         const StratFaultClass *c, SimRandom *stream)
{
    int64_t nodes = strat_fault_nodes(&model->site), node;
    if (places->hits) {
        double seen = (double)places->hits->len;
        if (sim_random_uniform(stream) * ((double)nodes * model->node_shape + seen) < seen)
            return g_array_index(places->hits, int64_t,
                                 sim_random_below(stream, places->hits->len));
    }
    do
        node = draw_fresh(model, nodes, stream);
    while (!is_met(model, c, node, stream));
    return node;
}

int64_t strat_fault_place(StratFaultPlaces *places, const StratFaultModel *model,
                          const StratFaultClass *c, SimRandom stream, double *excess)
{
    *excess = 1.0;
    if (c->unit != STRAT_FAULT_GPU && c->unit != STRAT_FAULT_NODE && c->unit != STRAT_FAULT_JOB)
        return strat_fault_width(&model->site, c) *
               (int64_t)sim_random_below(&stream, (uint64_t)strat_fault_units(&model->site, c));
    int64_t nodes = strat_fault_nodes(&model->site), node = draw_node(places, model, c, &stream);
    if (node < llround(model->lemon_fraction * (double)nodes))
        *excess = model->lemon_factor;
    if (places->hits) {
        double rate = count_hit(places, model->node_shape, nodes, node);
        *excess *= MAX(rate, 1.0);
    }
    return node;
}
