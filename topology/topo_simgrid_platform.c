/*
 * The platform file. Routes have one truth, the router of topology/, so SimGrid is not told of
 * devices at all: the platform is one `Full` zone, a table that lists for a pair of hosts the
 * directed links between them, each a SHARED link with the rate and latency of the graph.
 *
 * A host is no more than a row and a column of that table: messages are sent on behalf of hosts,
 * and nothing runs on them. So they need not stand for GPUs; K routes are written into the cells of
 * the smallest table that has K of them off its diagonal, and it grows with K rather than with the
 * square of the cluster.
 *
 * The bound of a route is one more link of that rate, a FATPIPE, which gives every flow on it all
 * of its rate. SimGrid 3.32 does so only if the flows have the same latency: otherwise it gives the
 * ones of longer latency less, as on a shared link. A bound is therefore shared only by routes that
 * begin with the same link, so that unrelated flows stay apart in its solver, and have the same
 * latency. Bounds that the links keep anyway are left out.
 *
 * SimGrid divides a full link in inverse proportion to the latencies of the flows, and takes a
 * latency of 0 for one of a second. A route over links without any gets a nanosecond.
 */
#include "topo_simgrid_platform.h"

#include <math.h>
#include <string.h>

static const double LEAST_LATENCY_S = 1e-9;

/* A link that is not in the graph: what a flow on some routes cannot exceed. */
typedef struct Limit {
    uint32_t first_link;
    double bytes_per_s;
    double route_latency_s; /* of the graph's links */
} Limit;

typedef struct Route {
    uint32_t first, count; /* its run in links */
    uint32_t limit;        /* or TOPO_NONE */
    double latency_s;
} Route;

struct TopoSimgridPlatform {
    const TopoGraph *graph;
    GArray *links;        /* of uint32_t, route by route */
    GArray *routes;       /* of Route */
    GArray *limits;       /* of Limit */
    GHashTable *route_of; /* GBytes of limit and links to number + 1; looked up, never iterated */
    GHashTable *limit_of; /* GBytes of Limit to number + 1; likewise */
};

static GHashTable *numbers_new(void)
{
    return g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
}

TopoSimgridPlatform *topo_simgrid_platform_new(const TopoGraph *graph)
{
    TopoSimgridPlatform *platform = g_new(TopoSimgridPlatform, 1);
    *platform = (TopoSimgridPlatform){
        .graph = graph,
        .links = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .routes = g_array_new(FALSE, FALSE, sizeof(Route)),
        .limits = g_array_new(FALSE, FALSE, sizeof(Limit)),
        .route_of = numbers_new(),
        .limit_of = numbers_new(),
    };
    return platform;
}

void topo_simgrid_platform_free(TopoSimgridPlatform *platform)
{
    if (platform == NULL)
        return;
    g_array_unref(platform->links);
    g_array_unref(platform->routes);
    g_array_unref(platform->limits);
    g_hash_table_unref(platform->route_of);
    g_hash_table_unref(platform->limit_of);
    g_free(platform);
}

/* The number of @key in @numbers, made @next when it is new. Takes @key. */
static uint32_t number_of(GHashTable *numbers, GBytes *key, uint32_t next)
{
    uint32_t found = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, key));
    if (found > 0) {
        g_bytes_unref(key);
        return found - 1;
    }
    g_hash_table_insert(numbers, key, GUINT_TO_POINTER(next + 1));
    return next;
}

static uint32_t add_limit(TopoSimgridPlatform *platform, Limit limit)
{
    Limit key;
    memset(&key, 0, sizeof key); /* the gaps too */
    key.first_link = limit.first_link;
    key.bytes_per_s = limit.bytes_per_s;
    key.route_latency_s = limit.route_latency_s;
    uint32_t number =
        number_of(platform->limit_of, g_bytes_new(&key, sizeof key), platform->limits->len);
    if (number == platform->limits->len)
        g_array_append_val(platform->limits, limit);
    return number;
}

uint32_t topo_simgrid_platform_route(TopoSimgridPlatform *platform, const uint32_t *links,
                                     guint count, double bound_bytes_per_s)
{
    Limit limit = {.first_link = links[0], .bytes_per_s = INFINITY};
    for (guint i = 0; i < count; i++) {
        const TopoLink *link = topo_graph_link(platform->graph, links[i]);
        limit.bytes_per_s = fmin(limit.bytes_per_s, topo_link_rate_bytes_per_s(link));
        limit.route_latency_s += topo_link_latency_s(link);
    }
    bool is_limited = bound_bytes_per_s < limit.bytes_per_s || limit.route_latency_s <= 0.0;
    limit.bytes_per_s = fmin(limit.bytes_per_s, bound_bytes_per_s);
    Route route = {
        .first = platform->links->len,
        .count = count,
        .limit = is_limited ? add_limit(platform, limit) : TOPO_NONE,
        .latency_s = fmax(limit.route_latency_s, LEAST_LATENCY_S),
    };
    g_autofree uint32_t *key = g_new(uint32_t, (size_t)count + 1);
    key[0] = route.limit;
    memcpy(key + 1, links, count * sizeof(uint32_t));
    size_t size = ((size_t)count + 1) * sizeof(uint32_t);
    uint32_t number = number_of(platform->route_of, g_bytes_new_take(g_steal_pointer(&key), size),
                                platform->routes->len);
    if (number == platform->routes->len) {
        g_array_append_vals(platform->links, links, count);
        g_array_append_val(platform->routes, route);
    }
    return number;
}

uint32_t topo_simgrid_platform_route_count(const TopoSimgridPlatform *platform)
{
    return platform->routes->len;
}

double topo_simgrid_platform_latency_s(const TopoSimgridPlatform *platform, uint32_t route)
{
    return g_array_index(platform->routes, Route, route).latency_s;
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

/* The links in use, each once, and the limits. */
static void write_links(const TopoSimgridPlatform *platform, FILE *out)
{
    g_autofree bool *is_known = g_new0(bool, topo_graph_link_count(platform->graph));
    for (guint i = 0; i < platform->links->len; i++) {
        uint32_t id = g_array_index(platform->links, uint32_t, i);
        const TopoLink *link = topo_graph_link(platform->graph, id);
        if (is_known[id])
            continue;
        is_known[id] = true;
        g_assert(topo_link_rate_bytes_per_s(link) > 0.0);
        fprintf(out, "<link id=\"l%u\"", id);
        write_link(out, "SHARED", topo_link_rate_bytes_per_s(link), topo_link_latency_s(link));
    }
    for (guint i = 0; i < platform->limits->len; i++) {
        const Limit *limit = &g_array_index(platform->limits, Limit, i);
        fprintf(out, "<link id=\"b%u\"", i);
        write_link(out, "FATPIPE", limit->bytes_per_s,
                   limit->route_latency_s > 0.0 ? 0.0 : LEAST_LATENCY_S);
    }
}

static void write_route(const TopoSimgridPlatform *platform, uint32_t number, FILE *out)
{
    const Route *route = &g_array_index(platform->routes, Route, number);
    uint32_t from, to;
    topo_simgrid_platform_ends(platform, number, &from, &to);
    fprintf(out, "<route src=\"h%u\" dst=\"h%u\" symmetrical=\"NO\">", from, to);
    for (uint32_t k = 0; k < route->count; k++)
        fprintf(out, "<link_ctn id=\"l%u\"/>",
                g_array_index(platform->links, uint32_t, route->first + k));
    if (route->limit != TOPO_NONE)
        fprintf(out, "<link_ctn id=\"b%u\"/>", route->limit);
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
