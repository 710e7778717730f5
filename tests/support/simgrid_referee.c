/*
 * What SimGrid makes of flows on given routes.
 *
 * Routes have one truth, the router of topology/. The platform is a `Full` zone that lists exactly
 * the pairs in use: each flow has a host to send and one to receive, and its route is the list of
 * directed links it crosses, each a SHARED link with the rate and latency of the graph. An actor a
 * flow waits for its start, then carries one message of its bytes from host to host.
 *
 * The model is CM02 (Casanova and Marchal 2002, INRIA RR-4596; Velho et al. 2013, ACM TOMACS 23(4))
 * without its calibration to TCP: no correction of rates and latencies, no acknowledgements in the
 * way back (cross-traffic), no window (TCP-gamma). What stays is
 *
 *     end_s = start_s + sum of latencies + time at its share of the links,
 *
 * where flows that are held up at one link share it in inverse proportion to their latencies, as
 * TCP does with round trips. The timing precision is set far below the default of 10 us, in which
 * a 64 kB message disappears.
 *
 * The engine is a singleton of the process and ends it on any error, so every question is asked in
 * a forked child and the answers come back through a pipe. Actors are unwound by exceptions: this
 * file is compiled with -fexceptions.
 *
 * Left out: links that change during the run.
 */
#include "simgrid_referee.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the actor of one flow knows. */
typedef struct Errand {
    const RouteFlow *flow;
    sg_host_t from, to;
    double *end_s;
} Errand;

static void carry_flow(int argc, char **argv)
{
    (void)argc, (void)argv;
    Errand *errand = (Errand *)sg_actor_self_get_data();
    if (errand->flow->start_s > 0.0)
        sg_actor_sleep_until(errand->flow->start_s);
    sg_host_sendto(errand->from, errand->to, errand->flow->bytes);
    *errand->end_s = simgrid_get_clock();
}

static void add_number(GString *xml, const char *attribute, double value, const char *unit)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(digits, sizeof digits, value);
    g_string_append_printf(xml, " %s=\"%s%s\"", attribute, digits, unit);
}

/* The links in use, each once. */
static void add_links(GString *xml, const RouteFlows *flows)
{
    g_autofree bool *is_known = g_new0(bool, topo_graph_link_count(flows->graph));
    for (guint i = 0; i < flows->links->len; i++) {
        uint32_t id = g_array_index(flows->links, uint32_t, i);
        const TopoLink *link = topo_graph_link(flows->graph, id);
        if (is_known[id])
            continue;
        is_known[id] = true;
        g_assert(topo_link_rate_bytes_per_s(link) > 0.0);
        g_string_append_printf(xml, "<link id=\"l%u\" sharing_policy=\"SHARED\"", id);
        add_number(xml, "bandwidth", topo_link_rate_bytes_per_s(link), "Bps");
        add_number(xml, "latency", topo_link_latency_s(link), "s");
        g_string_append(xml, "/>\n");
    }
}

static char *make_platform(const RouteFlows *flows)
{
    GString *xml = g_string_new("<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
                                "\"https://simgrid.org/simgrid.dtd\">\n"
                                "<platform version=\"4.1\"><zone id=\"all\" routing=\"Full\">\n");
    for (guint i = 0; i < flows->flows->len; i++)
        g_string_append_printf(
            xml, "<host id=\"s%u\" speed=\"1Gf\"/><host id=\"r%u\" speed=\"1Gf\"/>\n", i, i);
    add_links(xml, flows);
    for (guint i = 0; i < flows->flows->len; i++) {
        const RouteFlow *flow = route_flows_at(flows, i);
        g_string_append_printf(xml, "<route src=\"s%u\" dst=\"r%u\" symmetrical=\"NO\">", i, i);
        for (uint32_t k = 0; k < flow->count; k++)
            g_string_append_printf(xml, "<link_ctn id=\"l%u\"/>",
                                   g_array_index(flows->links, uint32_t, flow->first + k));
        g_string_append(xml, "</route>\n");
    }
    g_string_append(xml, "</zone></platform>\n");
    return g_string_free(xml, FALSE);
}

static void start_engine(const char *platform)
{
    static const char *const options[] = {
        "referee",
        "--log=root.thres:critical",
        "--cfg=network/model:CM02",
        "--cfg=network/crosstraffic:0",
        "--cfg=network/TCP-gamma:0",
        "--cfg=network/bandwidth-factor:1",
        "--cfg=network/latency-factor:1",
        "--cfg=network/weight-S:0",
        "--cfg=surf/precision:1e-12",
        "--cfg=contexts/stack-size:256",
    };
    char *argv[G_N_ELEMENTS(options) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        argv[i] = g_strdup(options[i]); /* SimGrid keeps them; the child is short-lived */
    int argc = G_N_ELEMENTS(options);
    simgrid_init(&argc, argv);
    simgrid_load_platform(platform);
}

static sg_host_t host_of(char end, guint index)
{
    g_autofree char *name = g_strdup_printf("%c%u", end, index);
    return sg_host_by_name(name);
}

/* Fills @answers: the end of each flow, -1 where it has none, then the seconds that the run took.
 */
static void simulate(const RouteFlows *flows, const char *platform, double *answers)
{
    guint count = flows->flows->len;
    g_autofree Errand *errands = g_new(Errand, count);
    start_engine(platform);
    for (guint i = 0; i < count; i++) {
        answers[i] = -1.0;
        errands[i] =
            (Errand){route_flows_at(flows, i), host_of('s', i), host_of('r', i), &answers[i]};
        sg_actor_t actor = sg_actor_init("flow", errands[i].from);
        sg_actor_set_data(actor, &errands[i]);
        sg_actor_start_(actor, carry_flow, 0, NULL);
    }
    int64_t began_us = g_get_monotonic_time();
    simgrid_run();
    answers[count] = (double)(g_get_monotonic_time() - began_us) * 1e-6;
}

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = (const char *)data;
    while (size > 0) {
        ssize_t done = write(fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

/* Bytes read until the other side closed or @size is full. */
static size_t read_all(int fd, void *data, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t done = read(fd, (char *)data + got, size - got);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break;
        got += (size_t)done;
    }
    return got;
}

static bool fail(GError **error, const char *what, int detail)
{
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "SimGrid: %s (%d)", what, detail);
    return false;
}

static bool ask_child(const RouteFlows *flows, const char *platform, double *answers,
                      GError **error)
{
    size_t size = sizeof(double) * ((size_t)flows->flows->len + 1);
    int ends[2];
    if (pipe(ends) != 0)
        return fail(error, "no pipe", errno);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        simulate(flows, platform, answers);
        _exit(write_all(ends[1], answers, size) ? 0 : 1);
    }
    close(ends[1]);
    size_t got = child > 0 ? read_all(ends[0], answers, size) : 0;
    close(ends[0]);
    if (child < 0)
        return fail(error, "no child process", errno);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0)
        return fail(error, "the child process died with wait status", status);
    if (got != size)
        return fail(error, "the answer is short, bytes", (int)got);
    for (guint i = 0; i < flows->flows->len; i++)
        if (answers[i] < 0.0)
            return fail(error, "a flow has no end, flow", (int)i);
    return true;
}

double *simgrid_referee_ends_s(const RouteFlows *flows, double *took_s, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("simgrid-referee-XXXXXX.xml", &path, error);
    if (fd < 0)
        return NULL;
    g_autofree char *platform = make_platform(flows);
    g_autofree double *answers = g_new(double, (size_t)flows->flows->len + 1);
    bool is_written = write_all(fd, platform, strlen(platform));
    close(fd);
    bool is_answered = is_written ? ask_child(flows, path, answers, error)
                                  : fail(error, "the platform cannot be written", errno);
    g_unlink(path);
    if (!is_answered)
        return NULL;
    if (took_s != NULL)
        *took_s = answers[flows->flows->len];
    return g_steal_pointer(&answers);
}
