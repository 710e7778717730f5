/* How many processes there are is asked of the environment that launchers of MPI leave to theirs. Only
 * where there are several is the module loaded that knows MPI (liborrery-mpi.so): a plain call neither
 * reads nor links anything of it and starts as fast as without. Without the module several processes
 * would do the same several times, so that is an error.
 *
 * Processes may lie on different machines, whose files can differ. A scenario names others: traces,
 * profiles, models, so its text alone would not do, and nothing is sent around; every process reads its
 * own files. A process whose scenario file or version of Orrery is not that of the first is left out.
 * What the scenario names is not compared. */
#include "scen_hands.h"

#include "scen_errors.h"

#include <dlfcn.h>
#include <stdio.h>

/* What launchers set: of Open MPI, of those that speak PMI (MPICH, Slurm's srun), of Slurm with PMIx. */
static const struct {
    const char *count, *rank, *needs;
} launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_RANK"},
    {"PMI_SIZE",             "PMI_RANK",             "PMI_RANK"            },
    {"SLURM_STEP_NUM_TASKS", "PMIX_RANK",            "PMIX_RANK"           },
};

static int64_t number_of(const char *name)
{
    const char *text = g_getenv(name);
    return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

/* How many processes the launcher has started, and which of them this is; 1 without a launcher. */
static int64_t process_count(int64_t *rank)
{
    *rank = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(launchers); i++) {
        if (!g_getenv(launchers[i].needs) || number_of(launchers[i].count) < 1)
            continue;
        *rank = number_of(launchers[i].rank);
        return number_of(launchers[i].count);
    }
    return 1;
}

bool scen_hands_is_worker(void)
{
    int64_t rank;
    return process_count(&rank) > 1 && rank > 0;
}

/* The module is beside the program, or where it is installed. The caller frees the path. */
static char *module_path(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : ".");
    char *path = g_build_filename(folder, "liborrery-mpi.so", NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return path;
    g_free(path);
    return g_build_filename(folder, "..", ORRERY_LIBDIR, "orrery", "liborrery-mpi.so", NULL);
}

/* The module stays loaded: MPI cannot be unloaded. Its plug-ins look for its symbols among all. */
static ScenRanks *ranks_open(int64_t count, GError **error)
{
    g_autofree char *path = module_path();
    void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    ScenRanksOpen open;
    void *symbol = module ? dlsym(module, SCEN_RANKS_OPEN) : NULL;
    if (!symbol) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "started as %" G_GINT64_FORMAT " processes, but this Orrery has no MPI (%s): "
                    "install libopenmpi-dev and build again, or split the sweep by --shard "
                    "(docs/many-machines.md)",
                    count, dlerror());
        return NULL;
    }
    memcpy(&open, &symbol, sizeof open);
    ScenRanks *ranks = open(error);
    if (ranks && ranks->count != count) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "started as %" G_GINT64_FORMAT " processes by another MPI than Open MPI, which "
                    "sees %d: use its own mpirun",
                    count, ranks->count);
        ranks->close(ranks, true);
        return NULL;
    }
    return ranks;
}

/* What processes must agree on: the version, and the file. */
static char *known_of(const char *path)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *text = NULL;
    size_t length = 0;
    g_checksum_update(sum, (const guchar *)scen_version(), -1);
    if (g_file_get_contents(path, &text, &length, NULL))
        g_checksum_update(sum, (const guchar *)text, (gssize)length);
    return g_strdup(g_checksum_get_string(sum));
}

static void say(const char *text)
{
    fprintf(stderr, "orrery: %s\n", text);
}

bool scen_hands_open(ScenHands *hands, int threads, const char *path, GError **error)
{
    int64_t rank;
    int64_t count = process_count(&rank);
    *hands = (ScenHands){.farm = sim_farm_threads(threads)};
    if (count <= 1)
        return true;
    ScenRanks *ranks = ranks_open(count, error);
    if (!ranks)
        return false;
    g_autofree char *known = known_of(path);
    hands->ranks = scen_ranks_farm_new(ranks, MAX(threads, 1), known, scen_patience(), say);
    hands->farm = scen_ranks_farm_of(hands->ranks);
    return true;
}

ScenExit scen_hands_close(ScenHands *hands, ScenExit status, const GError *error)
{
    if (error)
        status = scen_fail(error);
    if (!hands->ranks)
        return status;
    fflush(stdout);
    return (ScenExit)scen_ranks_farm_end(hands->ranks, (int)status, error ? error->message : NULL);
}
