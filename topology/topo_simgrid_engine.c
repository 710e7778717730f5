/*
 * The engine. The model is CM02 (Casanova and Marchal 2002, INRIA RR-4596; Velho et al. 2013, ACM
 * TOMACS 23(4)) without its calibration to TCP: no correction of rates and latencies, no
 * acknowledgements in the way back (cross-traffic), no window (TCP-gamma). What stays is
 *
 *     end_s = start_s + sum of latencies + time at its share of the links,
 *
 * where flows that are held up at one link share it in inverse proportion to their latencies, as
 * TCP does with round trips. The timing precision is set far below the default of 10 us, in which
 * a 64 kB message disappears.
 *
 * Each flow is an actor that sleeps until its start and then carries one message from host to host.
 * Stacks are small, because SimGrid clears each of them (flows do with 8 KiB), and have no guard
 * pages: each of those is a mapping of its own, of which a process has 65,530. The guide is an
 * actor too; it sleeps on a semaphore with a timeout. An actor learns what to do from an address in
 * its argv, because asking for its data would need the library that the data know.
 *
 * The library is loaded when it is asked for, by the path at which the build found it, because it
 * brings ns-3 and others along: linking it makes every start of a program 25 ms slower. Types of
 * functions come from its headers. Actors are unwound by exceptions: files with functions that run
 * on them are compiled with -fexceptions.
 */
#include "topo_simgrid_engine.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/link.h>
#include <simgrid/semaphore.h>

#include "topo_net.h"

/* What is called of the library. */
#define CALLS(X)                                                                                   \
    X(simgrid_init)                                                                                \
    X(simgrid_load_platform)                                                                       \
    X(simgrid_run)                                                                                 \
    X(simgrid_get_clock)                                                                           \
    X(sg_host_by_name)                                                                             \
    X(sg_host_sendto)                                                                              \
    X(sg_link_by_name)                                                                             \
    X(sg_link_set_bandwidth)                                                                       \
    X(sg_actor_init)                                                                               \
    X(sg_actor_set_stacksize)                                                                      \
    X(sg_actor_start_)                                                                             \
    X(sg_actor_sleep_until)                                                                        \
    X(sg_sem_init)                                                                                 \
    X(sg_sem_acquire)                                                                              \
    X(sg_sem_acquire_timeout)                                                                      \
    X(sg_sem_release)

enum {
    GUIDE_STACK_BYTES = 262144,
};

/* What a link that is down still carries: SimGrid takes 0 for no limit. */
static const double LEAST_BYTES_PER_S = 1e-3;

typedef struct Library {
#define MEMBER(name) __typeof__(&(name)) name;
    CALLS(MEMBER)
#undef MEMBER
} Library;

struct TopoSimgridEngine {
    Library lib;
    const TopoSimgridPlatform *platform;
    sg_host_t *hosts;
    sg_sem_t wake;
    TopoSimgridFunc guide;
    void *guide_ctx;
    bool is_waiting; /* the guide */
};

/* What the actor of one flow knows. */
typedef struct Errand {
    TopoSimgridEngine *engine;
    sg_host_t from, to;
    double bytes, start_s;
    TopoSimgridFunc arrived;
    void *ctx;
} Errand;

/* What the actor of one change knows. */
typedef struct Change {
    const TopoSimgridEngine *engine;
    uint32_t link;
    double at_s, bytes_per_s;
} Change;

static bool load_library(Library *lib, GError **error)
{
    void *handle = dlopen(TOPO_SIMGRID_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    bool is_whole = handle != NULL;
#define LOOK_UP(name) is_whole = is_whole && (*(void **)&lib->name = dlsym(handle, #name)) != NULL;
    CALLS(LOOK_UP)
#undef LOOK_UP
    if (!is_whole)
        g_set_error(error, TOPO_ERROR, TOPO_ERROR_NO_SIMGRID,
                    "SimGrid cannot be loaded (%s): install libsimgrid-dev and build again",
                    dlerror());
    return is_whole;
}

/* SimGrid keeps the strings. */
static void start(const Library *lib)
{
    static const char *const options[] = {
        "orrery",
        "--log=root.thres:critical",
        "--cfg=network/model:CM02",
        "--cfg=network/crosstraffic:0",
        "--cfg=network/TCP-gamma:0",
        "--cfg=network/bandwidth-factor:1",
        "--cfg=network/latency-factor:1",
        "--cfg=network/weight-S:0",
        "--cfg=surf/precision:1e-12",
        "--cfg=contexts/stack-size:32",
        "--cfg=contexts/guard-size:0",
    };
    char *argv[G_N_ELEMENTS(options) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        argv[i] = g_strdup(options[i]);
    int argc = G_N_ELEMENTS(options);
    lib->simgrid_init(&argc, argv);
}

/* By way of a file without a name, which SimGrid opens as this process's descriptor. */
static bool load_platform(const TopoSimgridEngine *engine, GError **error)
{
    FILE *file = tmpfile();
    if (file == NULL || !topo_simgrid_platform_write(engine->platform, file)) {
        g_set_error(error, TOPO_ERROR, TOPO_ERROR_NO_SIMGRID,
                    "SimGrid's platform file cannot be written: %s", g_strerror(errno));
        if (file != NULL)
            fclose(file);
        return false;
    }
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fileno(file));
    engine->lib.simgrid_load_platform(path);
    fclose(file);
    return true;
}

TopoSimgridEngine *topo_simgrid_engine_new(const TopoSimgridPlatform *platform, GError **error)
{
    g_autoptr(TopoSimgridEngine) engine = g_new0(TopoSimgridEngine, 1);
    engine->platform = platform;
    if (!load_library(&engine->lib, error))
        return NULL;
    start(&engine->lib);
    if (!load_platform(engine, error))
        return NULL;
    uint32_t count = topo_simgrid_platform_host_count(platform);
    engine->hosts = g_new(sg_host_t, count);
    for (uint32_t i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("h%u", i);
        engine->hosts[i] = engine->lib.sg_host_by_name(name);
    }
    engine->wake = engine->lib.sg_sem_init(0);
    return g_steal_pointer(&engine);
}

void topo_simgrid_engine_free(TopoSimgridEngine *engine)
{
    if (engine == NULL)
        return;
    g_free(engine->hosts);
    g_free(engine);
}

/* Starts an actor that gets the address @ctx, with a stack of @stack_bytes, or the usual one for 0.
 */
static void start_actor(const TopoSimgridEngine *engine, sg_host_t host, xbt_main_func_t code,
                        unsigned stack_bytes, const void *ctx)
{
    char address[24];
    g_snprintf(address, sizeof address, "%" G_GUINTPTR_FORMAT, (uintptr_t)ctx);
    const char *const argv[] = {address, NULL};
    sg_actor_t actor = engine->lib.sg_actor_init("actor", host);
    if (stack_bytes > 0)
        engine->lib.sg_actor_set_stacksize(actor, stack_bytes);
    engine->lib.sg_actor_start_(actor, code, 1, argv);
}

static void *address_of(char **argv)
{
    return (void *)(uintptr_t)g_ascii_strtoull(argv[0], NULL, 10);
}

static void run_errand(int argc, char **argv)
{
    (void)argc;
    Errand *errand = (Errand *)address_of(argv);
    const Library *lib = &errand->engine->lib;
    if (errand->start_s > lib->simgrid_get_clock())
        lib->sg_actor_sleep_until(errand->start_s);
    lib->sg_host_sendto(errand->from, errand->to, errand->bytes);
    errand->arrived(errand->ctx);
    g_free(errand);
}

void topo_simgrid_engine_carry(TopoSimgridEngine *engine, uint32_t route, double bytes,
                               double start_s, TopoSimgridFunc arrived, void *ctx)
{
    uint32_t from, to;
    topo_simgrid_platform_ends(engine->platform, route, &from, &to);
    Errand *errand = g_new(Errand, 1);
    *errand = (Errand){
        .engine = engine,
        .from = engine->hosts[from],
        .to = engine->hosts[to],
        .bytes = bytes,
        .start_s = start_s,
        .arrived = arrived,
        .ctx = ctx,
    };
    start_actor(engine, errand->from, run_errand, 0, errand);
}

static void run_change(int argc, char **argv)
{
    (void)argc;
    Change *change = (Change *)address_of(argv);
    const Library *lib = &change->engine->lib;
    g_autofree char *name = g_strdup_printf("l%u", change->link);
    if (change->at_s > 0.0)
        lib->sg_actor_sleep_until(change->at_s);
    lib->sg_link_set_bandwidth(lib->sg_link_by_name(name), change->bytes_per_s);
    g_free(change);
}

void topo_simgrid_engine_change(TopoSimgridEngine *engine, uint32_t link, double at_s,
                                double bytes_per_s)
{
    if (!topo_simgrid_platform_has_link(engine->platform, link))
        return;
    Change *change = g_new(Change, 1);
    *change = (Change){engine, link, at_s, fmax(bytes_per_s, LEAST_BYTES_PER_S)};
    start_actor(engine, engine->hosts[0], run_change, 0, change);
}

static void run_guide(int argc, char **argv)
{
    (void)argc;
    TopoSimgridEngine *engine = (TopoSimgridEngine *)address_of(argv);
    engine->guide(engine->guide_ctx);
}

void topo_simgrid_engine_run(TopoSimgridEngine *engine, TopoSimgridFunc guide, void *ctx)
{
    engine->guide = guide;
    engine->guide_ctx = ctx;
    if (guide != NULL)
        start_actor(engine, engine->hosts[0], run_guide, GUIDE_STACK_BYTES, engine);
    engine->lib.simgrid_run();
}

/* A timeout of 0 would be none. */
void topo_simgrid_engine_wait(TopoSimgridEngine *engine, double until_s)
{
    double timeout_s = until_s - engine->lib.simgrid_get_clock();
    if (timeout_s <= 0.0)
        return;
    engine->is_waiting = true;
    if (isinf(timeout_s))
        engine->lib.sg_sem_acquire(engine->wake);
    else
        engine->lib.sg_sem_acquire_timeout(engine->wake, timeout_s);
    engine->is_waiting = false;
}

/* The guide may wait again before the release returns. */
void topo_simgrid_engine_wake(TopoSimgridEngine *engine)
{
    if (!engine->is_waiting)
        return;
    engine->is_waiting = false;
    engine->lib.sg_sem_release(engine->wake);
}

double topo_simgrid_engine_now_s(const TopoSimgridEngine *engine)
{
    return engine->lib.simgrid_get_clock();
}
