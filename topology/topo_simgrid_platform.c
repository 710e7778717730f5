/*
 * The platform file. Routes have one truth, the router of topology/, so SimGrid is not told of
 * devices at all: the platform is one `Full` zone, a table that lists for a pair of hosts the
 * directed links between them, each a SHARED link with the rate and latency of the graph; link 7 of
 * the graph is called "l7".
 *
 * A host is no more than a row and a column of that table: messages are sent on behalf of hosts,
 * and nothing is computed on them. So they need not stand for GPUs; K routes are written into the
 * cells of the smallest table that has K of them off its diagonal, and it grows with K rather than
 * with the square of the cluster.
 *
 * Every route begins with a link of its own, a FATPIPE, which gives each flow on it all of its
 * rate: the bound, or the rate of the narrowest link where there is no bound. It is also there for
 * two habits of SimGrid 3.32. It gives flows of unlike latency on one FATPIPE unlike rates, as on a
 * shared link, so routes do not share theirs. And when a flow begins or ends it solves anew only
 * for what hangs together with the first link of the flow's route, and not even that if the same
 * instant has seen a change there already; other links of the route are then forgotten, bounds
 * among them. A first link that is the route's own is never one that somebody else has changed.
 *
 * SimGrid divides a full link in inverse proportion to the latencies of the flows, and takes a
 * latency of 0 for one of a second. A route over links without any gets a nanosecond.
 */
#include "topo_simgrid_platform.h"

#include <math.h>
#include <string.h>

static const double LEAST_LATENCY_S = 1e-9;

typedef struct Route {
    uint32_t first, count;    /* its run in links */
    double bound_bytes_per_s; /* as that was asked for, or what the links have when whole */
    double latency_s;
} Route;

struct TopoSimgridPlatform {
    const TopoGraph *graph;
    GArray *links;       /* of uint32_t, route by route */
    GArray *routes;      /* of Route */
    bool *is_used;       /* each link of the graph, by a route */
    GHashTable *numbers; /* GBytes of bound and links to number + 1; looked up, never iterated */
};

TopoSimgridPlatform *topo_simgrid_platform_new(const TopoGraph *graph)
{
    TopoSimgridPlatform *platform = g_new(TopoSimgridPlatform, 1);
    *platform = (TopoSimgridPlatform){
        .graph = graph,
        .links = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .routes = g_array_new(FALSE, FALSE, sizeof(Route)),
        .is_used = g_new0(bool, MAX(topo_graph_link_count(graph), 1)),
        .numbers =
            g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL),
    };
    return platform;
}

void topo_simgrid_platform_free(TopoSimgridPlatform *platform)
{
    if (platform == NULL)
        return;
    g_array_unref(platform->links);
    g_array_unref(platform->routes);
    g_free(platform->is_used);
    g_hash_table_unref(platform->numbers);
    g_free(platform);
}

/* What two routes have in common if and only if they are one. */
static GBytes *make_key(const uint32_t *links, guint count, double bound_bytes_per_s)
{
    size_t size = count * sizeof(uint32_t);
    guint8 *key = g_malloc(sizeof bound_bytes_per_s + size);
    memcpy(key, &bound_bytes_per_s, sizeof bound_bytes_per_s);
    memcpy(key + sizeof bound_bytes_per_s, links, size);
    return g_bytes_new_take(key, sizeof bound_bytes_per_s + size);
}

uint32_t topo_simgrid_platform_route(TopoSimgridPlatform *platform, const uint32_t *links,
                                     guint count, double bound_bytes_per_s)
{
    Route route = {platform->links->len, count, bound_bytes_per_s, 0.0};
    double rate = INFINITY;
    for (guint i = 0; i < count; i++) {
        const TopoLink *link = topo_graph_link(platform->graph, links[i]);
        rate = fmin(rate, link->bytes_per_s);
        route.latency_s += topo_link_latency_s(link);
        platform->is_used[links[i]] = true;
    }
    route.bound_bytes_per_s = fmin(rate, bound_bytes_per_s);
    g_autoptr(GBytes) key = make_key(links, count, route.bound_bytes_per_s);
    uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(platform->numbers, key));
    if (known > 0)
        return known - 1;
    g_array_append_vals(platform->links, links, count);
    g_array_append_val(platform->routes, route);
    uint32_t number = platform->routes->len;
    g_hash_table_insert(platform->numbers, g_steal_pointer(&key), GUINT_TO_POINTER(number));
    return number - 1;
}

bool topo_simgrid_platform_has_link(const TopoSimgridPlatform *platform, uint32_t link)
{
    return platform->is_used[link];
}

uint32_t topo_simgrid_platform_route_count(const TopoSimgridPlatform *platform)
{
    return platform->routes->len;
}

/* The least n with n (n - 1) cells off the diagonal for all routes. */
uint32_t topo_simgrid_platform_host_count(const TopoSimgridPlatform *platform)
{
    uint64_t routes = platform->routes->len;
    uint64_t hosts = (uint64_t)sqrt((double)routes);
    while (hosts * (hosts - 1) < routes || hosts < 2)
        hosts++;
    return (uint32_t)hosts;
}

void topo_simgrid_platform_ends(const TopoSimgridPlatform *platform, uint32_t route, uint32_t *from,
                                uint32_t *to)
{
    uint32_t others = topo_simgrid_platform_host_count(platform) - 1;
    *from = route / others;
    *to = route % others;
    if (*to >= *from)
        (*to)++;
}

/* Digits that read back as the same number, in any locale. */
static void write_number(FILE *out, const char *attribute, double value, const char *unit)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(digits, sizeof digits, value);
    fprintf(out, " %s=\"%s%s\"", attribute, digits, unit);
}

static void write_link(FILE *out, const char *policy, double bytes_per_s, double latency_s)
{
    fprintf(out, " sharing_policy=\"%s\"", policy);
    write_number(out, "bandwidth", bytes_per_s, "Bps");
    write_number(out, "latency", latency_s, "s");
    fputs("/>\n", out);
}

/* The links in use, each once, and those of the routes' own. */
static void write_links(const TopoSimgridPlatform *platform, FILE *out)
{
    for (uint32_t id = 0; id < topo_graph_link_count(platform->graph); id++) {
        const TopoLink *link = topo_graph_link(platform->graph, id);
        if (!platform->is_used[id])
            continue;
        g_assert(topo_link_rate_bytes_per_s(link) > 0.0);
        fprintf(out, "<link id=\"l%u\"", id);
        write_link(out, "SHARED", topo_link_rate_bytes_per_s(link), topo_link_latency_s(link));
    }
    for (guint i = 0; i < platform->routes->len; i++) {
        const Route *route = &g_array_index(platform->routes, Route, i);
        fprintf(out, "<link id=\"r%u\"", i);
        write_link(out, "FATPIPE", route->bound_bytes_per_s,
                   route->latency_s > 0.0 ? 0.0 : LEAST_LATENCY_S);
    }
}

static void write_route(const TopoSimgridPlatform *platform, uint32_t number, FILE *out)
{
    const Route *route = &g_array_index(platform->routes, Route, number);
    uint32_t from, to;
    topo_simgrid_platform_ends(platform, number, &from, &to);
    fprintf(out, "<route src=\"h%u\" dst=\"h%u\" symmetrical=\"NO\"><link_ctn id=\"r%u\"/>", from,
            to, number);
    for (uint32_t k = 0; k < route->count; k++)
        fprintf(out, "<link_ctn id=\"l%u\"/>",
                g_array_index(platform->links, uint32_t, route->first + k));
    fputs("</route>\n", out);
}

bool topo_simgrid_platform_write(const TopoSimgridPlatform *platform, FILE *out)
{
    fputs("<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
          "<platform version=\"4.1\"><zone id=\"all\" routing=\"Full\">\n",
          out);
    for (uint32_t i = 0; i < topo_simgrid_platform_host_count(platform); i++)
        fprintf(out, "<host id=\"h%u\" speed=\"1Gf\"/>\n", i);
    write_links(platform, out);
    for (uint32_t i = 0; i < platform->routes->len; i++)
        write_route(platform, i, out);
    fputs("</zone></platform>\n", out);
    return fflush(out) == 0 && !ferror(out);
}
