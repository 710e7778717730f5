/* `orrery collective`: what a collective takes on a node or several, as nccl-tests prints it.
 *
 * The library's own choice of algorithm and protocol (topo_protocol.c) alone on its wires, every
 * GPU of the group at work. Bandwidths as nccl-tests defines them (doc/PERFORMANCE.md): algbw is
 * size over time, busbw is algbw times a factor of the operation that makes it comparable with the
 * wire's rate. Sizes are of the whole tensor: gathered, scattered, or what a rank holds for all.
 *
 * With --engine, what a serving engine runs inside its CUDA graphs: its own kernels where it has
 * some for the size (topo_protocol_engine.c), else the library. */
#include "scen_cmd.h"

#include "scen_errors.h"
#include "scen_json.h"
#include "scen_named.h"
#include "scen_names.h"
#include "scen_options.h"
#include "scen_quantity.h"
#include "topo_price.h"
#include "topo_protocol_engine.h"

#include <math.h>
#include <stdio.h>

typedef struct Request {
    char *node, *op, *algorithm, *engine, *from, *to;
    gint64 nodes, ranks;
    gboolean json;
} Request;

/* A request that makes sense. */
typedef struct Sweep {
    TopoCluster cluster;
    TopoTransfer transfer;
    const TopoEngineFit *engine; /* NULL: the library alone */
    double from_bytes, to_bytes;
} Sweep;

typedef struct Point {
    double bytes, seconds;
    const char *algorithm, *protocol; /* or the engine's kernel */
    uint32_t channels;                /* 0: of a kernel that has none */
} Point;

static const ScenUsage usage = {
    .command = "collective",
    .arguments = "--node NODE",
    .summary = "Prints a table of one collective over sizes as nccl-tests does: the algorithm and\n"
               "protocol that the library takes, the time, and the bandwidths.",
};

enum { DOUBLINGS_MOST = 60 };

static bool op_by_name(const char *name, TopoCollectiveOp *op, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (int i = TOPO_OP_ALL_REDUCE; i <= TOPO_OP_ALL_TO_ALL; i++) {
        *op = (TopoCollectiveOp)i;
        if (g_str_equal(name, topo_collective_op_name(*op)))
            return true;
        g_ptr_array_add(known, (void *)topo_collective_op_name(*op));
    }
    g_autofree char *advice = scen_names_advice(name, known);
    return scen_wrong(error, "unknown operation '%s'%s", name, advice);
}

static bool read_size(const char *option, const char *text, double *bytes, GError **error)
{
    if (scen_quantity_parse(text, SCEN_DATA_BYTES, bytes, error))
        return *bytes > 0.0 || scen_wrong(error, "%s: a size must be above 0", option);
    g_prefix_error(error, "%s '%s': ", option, text);
    return false;
}

/* The group fills the fewest nodes that hold it, or spreads evenly over those asked for. */
static bool place(const Request *request, Sweep *sweep, GError **error)
{
    const TopoNode *node = &sweep->cluster.node;
    int64_t nodes = request->nodes > 0   ? request->nodes
                    : request->ranks > 0 ? (request->ranks + node->gpus - 1) / node->gpus
                                         : 1;
    int64_t ranks = request->ranks > 0 ? request->ranks : nodes * node->gpus;
    int64_t per_domain = MIN(MIN(ranks, node->scale_up_gpus), nodes * node->gpus);
    if (ranks < 2 || ranks > nodes * node->gpus)
        return scen_wrong(error,
                          "%" G_GINT64_FORMAT " ranks on %" G_GINT64_FORMAT
                          " nodes of %" G_GINT64_FORMAT " GPUs: from 2 to as many as there are",
                          ranks, nodes, node->gpus);
    if (ranks > per_domain && ranks % per_domain != 0)
        return scen_wrong(error,
                          "%" G_GINT64_FORMAT " ranks do not fill domains of %" G_GINT64_FORMAT
                          " GPUs evenly",
                          ranks, per_domain);
    sweep->cluster.node_count = nodes;
    sweep->cluster.gpu_count = nodes * node->gpus;
    sweep->transfer.ranks = ranks;
    sweep->transfer.ranks_per_domain = per_domain;
    return true;
}

static bool read_request(const Request *request, GStringChunk *strings, Sweep *sweep,
                         GError **error)
{
    if (!scen_named_bind(SCEN_CATALOG_NODE, request->node, NULL, strings, &sweep->cluster.node,
                         error) ||
        !op_by_name(request->op ? request->op : "all_reduce", &sweep->transfer.op, error) ||
        !read_size("--min", request->from ? request->from : "64 KiB", &sweep->from_bytes, error) ||
        !read_size("--max", request->to ? request->to : "1 GiB", &sweep->to_bytes, error) ||
        !place(request, sweep, error))
        return false;
    if (request->algorithm) {
        sweep->transfer.algorithm = topo_collective_by_name(request->algorithm, error);
        if (!sweep->transfer.algorithm)
            return false;
    }
    if (sweep->from_bytes > sweep->to_bytes)
        return scen_wrong(error, "--min is above --max");
    return log2(sweep->to_bytes / sweep->from_bytes) <= DOUBLINGS_MOST ||
           scen_wrong(error, "from --min to --max are more than %d doublings", DOUBLINGS_MOST);
}

static bool price_library(const Sweep *sweep, Point *point, GError **error)
{
    TopoProtocolChoice choice;
    if (!topo_price(&sweep->cluster, &sweep->transfer, TOPO_CROWD_NONE, &choice, error))
        return false;
    point->algorithm = choice.algorithm->name;
    point->protocol = topo_protocol_name(choice.protocol);
    point->channels = choice.channels;
    point->seconds = topo_price_s(&choice, sweep->cluster.node.nic_latency_s);
    return true;
}

static bool price(Sweep *sweep, double bytes, Point *point, GError **error)
{
    const TopoNode *node = &sweep->cluster.node;
    const TopoProtocolWires wires = {.inside = &node->scale_up_protocols,
                                     .inside_bytes_per_s = node->scale_up_bytes_per_s};
    *point = (Point){.bytes = bytes};
    sweep->transfer.bytes = bytes;
    TopoCollectiveCall call = topo_price_call(&sweep->cluster, &sweep->transfer);
    TopoEngineChoice choice;
    if (!sweep->engine || topo_engine_kernel(sweep->engine, &call) == TOPO_ENGINE_LIBRARY)
        return price_library(sweep, point, error);
    if (!topo_protocol_engine(sweep->engine, &call, &wires, true, &choice, error))
        return false;
    point->algorithm = choice.algorithm->name;
    point->protocol = topo_engine_kernel_name(choice.kernel);
    point->seconds = choice.seconds;
    return true;
}

static GArray *price_all(Sweep *sweep, GError **error)
{
    g_autoptr(GArray) points = g_array_new(FALSE, TRUE, sizeof(Point));
    for (double bytes = sweep->from_bytes; bytes <= sweep->to_bytes; bytes *= 2.0) {
        Point point;
        if (!price(sweep, bytes, &point, error))
            return NULL;
        g_array_append_val(points, point);
    }
    return g_steal_pointer(&points);
}

static double bus_of(const Sweep *sweep, const Point *point)
{
    return topo_collective_bus_bytes(sweep->transfer.op, (uint32_t)sweep->transfer.ranks,
                                     point->bytes) /
           point->seconds;
}

static void print_text(const Sweep *sweep, const GArray *points)
{
    const TopoNode *node = &sweep->cluster.node;
    const TopoTransfer *transfer = &sweep->transfer;
    printf("%s of %" G_GINT64_FORMAT " ranks on %" G_GINT64_FORMAT " x %s: %s in domains of "
           "%" G_GINT64_FORMAT,
           topo_collective_op_name(transfer->op), transfer->ranks, sweep->cluster.node_count,
           node->name, node->scale_up_protocols.name, transfer->ranks_per_domain);
    if (transfer->ranks > transfer->ranks_per_domain)
        printf(", %s between", node->scale_out_protocols.name);
    printf("\n%14s  %-18s %-13s %8s %12s %11s %11s\n", "size, bytes", "algorithm", "protocol",
           "channels", "time, us", "algbw, GB/s", "busbw, GB/s");
    double sum = 0.0;
    for (guint i = 0; i < points->len; i++) {
        const Point *p = &g_array_index(points, Point, i);
        g_autofree char *channels =
            p->channels ? g_strdup_printf("%u", p->channels) : g_strdup("-");
        printf("%14.0f  %-18s %-13s %8s %12.2f %11.2f %11.2f\n", p->bytes, p->algorithm,
               p->protocol, channels, p->seconds * 1e6, p->bytes / p->seconds * 1e-9,
               bus_of(sweep, p) * 1e-9);
        sum += bus_of(sweep, p);
    }
    printf("Average bus bandwidth: %.2f GB/s\n", sum / points->len * 1e-9);
}

static void print_json(const Sweep *sweep, const GArray *points)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "node", sweep->cluster.node.name);
    scen_json_integer(json, "nodes", sweep->cluster.node_count);
    scen_json_text(json, "operation", topo_collective_op_name(sweep->transfer.op));
    scen_json_integer(json, "ranks", sweep->transfer.ranks);
    scen_json_integer(json, "ranks_per_domain", sweep->transfer.ranks_per_domain);
    json_builder_set_member_name(json, "rows");
    json_builder_begin_array(json);
    for (guint i = 0; i < points->len; i++) {
        const Point *p = &g_array_index(points, Point, i);
        json_builder_begin_object(json);
        scen_json_number(json, "size_bytes", p->bytes);
        scen_json_text(json, "algorithm", p->algorithm);
        scen_json_text(json, "protocol", p->protocol);
        if (p->channels > 0)
            scen_json_integer(json, "channels", p->channels);
        scen_json_number(json, "time_s", p->seconds);
        scen_json_number(json, "algbw_bytes_per_s", p->bytes / p->seconds);
        scen_json_number(json, "busbw_bytes_per_s", bus_of(sweep, p));
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    g_autofree char *text = scen_json_finish(json);
    fputs(text, stdout);
}

static bool run(const Request *request, GError **error)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    Sweep sweep = {.from_bytes = 0.0};
    TopoEngineFit engine = {0};
    if (request->engine) {
        if (!scen_named_bind(SCEN_CATALOG_ENGINE_KERNELS, request->engine, NULL, strings, &engine,
                             error))
            return false;
        sweep.engine = &engine;
    }
    if (!read_request(request, strings, &sweep, error))
        return false;
    g_autoptr(GArray) points = price_all(&sweep, error);
    if (!points)
        return false;
    if (request->json)
        print_json(&sweep, points);
    else
        print_text(&sweep, points);
    return true;
}

ScenExit scen_cmd_collective(int argc, char **argv)
{
    (void)argc;
    Request request = {0};
    g_auto(GStrv) rest = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"node",          0, 0, G_OPTION_ARG_STRING, &request.node,
         "Node of the catalog (orrery list nodes)", "NAME"},
        {"nodes",              0, 0, G_OPTION_ARG_INT64, &request.nodes,
         "How many of them (default: as many as the ranks need, or 1)", "N"},
        {"op",  0, 0, G_OPTION_ARG_STRING, &request.op,
         "all_reduce (default), all_gather, reduce_scatter, broadcast or all_to_all", "NAME"},
        {"ranks",         0, 0, G_OPTION_ARG_INT64, &request.ranks,
         "GPUs that take part (default: all of the nodes)", "N"},
        {"min",         0, 0, G_OPTION_ARG_STRING, &request.from, "Smallest tensor (default: 64 KiB)",
         "SIZE"},
        {"max",              0, 0, G_OPTION_ARG_STRING, &request.to, "Largest tensor (default: 1 GiB)", "SIZE"},
        {"algorithm", 0, 0, G_OPTION_ARG_STRING, &request.algorithm,
         "This algorithm instead of the library's choice", "NAME"},
        {"engine",            0, 0, G_OPTION_ARG_STRING, &request.engine,
         "With the kernels of this serving engine (orrery list engine-kernels)", "NAME"},
        {"json",            0, 0, G_OPTION_ARG_NONE, &request.json, "Print JSON instead of text", NULL},
        {G_OPTION_REMAINING,              0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0   },
    };
    ScenExit status;
    if (scen_options_parse(&usage, entries, argv, &status)) {
        if (rest || !request.node)
            status = scen_options_wrong(&usage, "needs --node NAME and no other argument");
        else if (request.engine && request.algorithm)
            status = scen_options_wrong(&usage, "--engine chooses the algorithm: no --algorithm");
        else if (request.nodes < 0 || request.nodes > 1000000 || request.ranks < 0)
            status = scen_options_wrong(&usage, "--nodes takes 1 to 1000000, --ranks 2 and more");
        else
            status = run(&request, &error) ? SCEN_EXIT_OK : scen_fail(error);
    }
    g_free(request.node);
    g_free(request.op);
    g_free(request.algorithm);
    g_free(request.engine);
    g_free(request.from);
    g_free(request.to);
    return status;
}
