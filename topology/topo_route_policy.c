/* The table of routing policies: which of several shortest next links a flow takes.
 *
 *   shortest   the first, way i the i-th; on a torus the first is dimension order (Dally, Seitz
 *              1987)
 *   d-mod-k    link floor(d / s) mod n, where d numbers the ways of the target NIC, n counts the
 *              choices here and s is the product of the choices met before (Zahavi 2010, section
 *              3). On a full fat tree no link then carries two flows of any shift permutation
 *   ecmp       a hash of both ends, the flow, the switch and a seed (RFC 2992); flows collide as
 *              balls in bins do. Each switch has its own hash, so hashes do not polarise
 *   adaptive   the link with the least load over rate left, the first of equals; local knowledge
 *              only, as in InfiniBand adaptive routing
 *   rail       PXN, then ecmp: bytes for another rail first go over NVLink to the GPU whose NIC is
 *              on the target's rail (NCCL 2.12)
 *
 * The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014). Left out: per-packet spraying,
 * weights, non-minimal routes such as Valiant's. */
#include "topo_route.h"

#include "sim_hash.h"
#include "sim_row.h"

static size_t pick_first(const TopoHop *hop, const uint32_t *links, size_t count)
{
    (void)links;
    return (size_t)(hop->way % count);
}

static size_t pick_d_mod_k(const TopoHop *hop, const uint32_t *links, size_t count)
{
    (void)links;
    uint64_t target = topo_graph_vertex(hop->graph, hop->to)->ordinal * hop->ways + hop->way;
    return (size_t)(target / hop->stride % count);
}

static size_t pick_hash(const TopoHop *hop, const uint32_t *links, size_t count)
{
    (void)links;
    uint64_t hash = sim_hash_mix(hop->seed);
    hash = sim_hash_mix(hash ^ ((uint64_t)hop->from << 32 | hop->to));
    hash = sim_hash_mix(hash ^ hop->flow_id);
    hash = sim_hash_mix(hash ^ hop->vertex);
    return (size_t)((hash >> 32) * count >> 32);
}

static size_t pick_least_loaded(const TopoHop *hop, const uint32_t *links, size_t count)
{
    size_t best = 0;
    double best_fraction = 0.0;
    for (size_t i = 0; hop->load_bytes_per_s && i < count; i++) {
        double rate = topo_link_rate_bytes_per_s(topo_graph_link(hop->graph, links[i]));
        double fraction = hop->load_bytes_per_s[links[i]] / rate;
        if (i == 0 || fraction < best_fraction) {
            best = i;
            best_fraction = fraction;
        }
    }
    return best;
}

static const TopoRoutePolicy policies[] = {
    {"shortest", "breadth-first search, ties by number", false, pick_first       },
    {"d-mod-k",  "Zahavi 2010, D-Mod-K routing",         false, pick_d_mod_k     },
    {"ecmp",     "Hopps 2000, RFC 2992",                 false, pick_hash        },
    {"adaptive", "InfiniBand adaptive routing",          false, pick_least_loaded},
    {"rail",     "NCCL 2.12, PXN",                       true,  pick_hash        },
};

const TopoRoutePolicy *topo_route_all(size_t *count)
{
    *count = G_N_ELEMENTS(policies);
    return policies;
}

const TopoRoutePolicy *topo_route_by_name(const char *name, GError **error)
{
    return sim_row_by_name(policies, G_N_ELEMENTS(policies), sizeof policies[0], name,
                           "routing policy", TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_UNKNOWN_NAME,
                           error);
}
