/* The table of execution traces.
 *
 *   execution_trace:
 *     files: llama.%d.et                      # or a list, one a rank
 *     ranks: 8                                # default: as many files as there are, from 0 on
 *     groups: groups.json                     # {"1": [0, 1, 2, 3], ...}, where nodes name groups
 *     dimensions: [4, 2]                      # where they name dimensions instead (involved_dim)
 *     compute: roofline                       # or measured
 *     precision: bf16
 *     speed: 1.2
 */
#include "scen_et_section.h"
#include "scen_fields.h"

#include <math.h>

static const char pattern_mark[] = "%d";

void scen_et_section_clear(ScenEtSection *section)
{
    g_clear_pointer(&section->files, g_ptr_array_unref);
    g_clear_pointer(&section->dimensions, g_array_unref);
}

/* @pattern with the number of @rank in it. */
static char *path_of(const char *pattern, int64_t rank)
{
    const char *mark = strstr(pattern, pattern_mark);
    return g_strdup_printf("%.*s%" G_GINT64_FORMAT "%s", (int)(mark - pattern), pattern, rank,
                           mark + strlen(pattern_mark));
}

char **scen_et_paths(const ScenEtSection *section, GError **error)
{
    enum { RANKS_MOST = 1000000 };
    g_autoptr(GStrvBuilder) paths = g_strv_builder_new();
    const char *first = g_ptr_array_index(section->files, 0);
    if (!strstr(first, pattern_mark)) {
        for (guint i = 0; i < section->files->len; i++)
            g_strv_builder_add(paths, g_ptr_array_index(section->files, i));
        return g_strv_builder_end(paths);
    }
    int64_t most = section->ranks > 0 ? section->ranks : RANKS_MOST;
    for (int64_t rank = 0; rank < most; rank++) {
        g_autofree char *path = path_of(first, rank);
        if (section->ranks == 0 && rank > 0 && !g_file_test(path, G_FILE_TEST_EXISTS))
            break;
        if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                        "%s: the trace of rank %" G_GINT64_FORMAT " is not there", path, rank);
            return NULL;
        }
        g_strv_builder_add(paths, path);
    }
    return g_strv_builder_end(paths);
}

static const char files_expected[] = "a file name with %d for the rank, or a list of files";

static bool add_file(ScenBinder *binder, const ScenNode *node, GPtrArray *files)
{
    if (node->kind != SCEN_NODE_TEXT || node->text[0] == '\0')
        return false;
    const char *path = node->text;
    scen_bind_path(binder, &path);
    g_ptr_array_add(files, g_string_chunk_insert(binder->strings, path));
    return true;
}

static bool bind_files(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    GPtrArray **files = slot;
    *files = g_ptr_array_new();
    if (node->kind != SCEN_NODE_LIST)
        return add_file(binder, node, *files) && strstr(node->text, pattern_mark);
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        if (!add_file(binder, item, *files) || strstr(item->text, pattern_mark))
            return false;
    }
    return node->items->len > 0;
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenEtSection *section = out;
    g_autoptr(GError) error = NULL;
    section->is_on = true;
    scen_bind_path(binder, &section->groups);
    if (section->algorithm &&
        !(section->plan.algorithm = topo_collective_by_name(section->algorithm, &error)))
        scen_bind_fail(binder, map, "algorithm", "%s", error->message);
    for (guint i = 0; section->dimensions && i < section->dimensions->len; i++) {
        double length = g_array_index(section->dimensions, double, i);
        if (floor(length) < length)
            scen_bind_fail(binder, map, "dimensions", "dimensions are whole numbers, not %g",
                           length);
    }
    const GPtrArray *files = section->files;
    bool is_list = files && files->len > 0 && !strstr(g_ptr_array_index(files, 0), pattern_mark);
    if (is_list && section->ranks > 0)
        scen_bind_fail(binder, map, "ranks", "a list of files says how many ranks there are");
}

static const ScenName compute_names[] = {
    {"measured", STRAT_ET_MEASURED},
    {"roofline", STRAT_ET_ROOFLINE},
    {NULL,       0                },
};

static const ScenName communication_names[] = {
    {"simulated", STRAT_ET_SIMULATED  },
    {"measured",  STRAT_ET_AS_RECORDED},
    {NULL,        0                   },
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, ScenEtSection, member, of_kind, __VA_ARGS__)

static const ScenForm file_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "a name with %d for the rank"}},
    {.value = {.kind = SCEN_TEXT, .help = "the trace of a rank"},         .least = 1, .most = 1000000},
    {.value = {.help = NULL}                                                   },
};

static const ScenField fields[] = {
    FIELD("files", files, SCEN_CUSTOM, .required = true, .bind = bind_files,
          .expected = files_expected, .forms = file_forms,
          .help = "trace of each rank: a name with %d for the rank, or a list, from this folder"),
    FIELD("ranks", ranks, SCEN_INT, .min = 1, .max = 1e6,
          .help = "files of a name with %d (default: as many as there are, from 0 on)"),
    FIELD("groups", groups, SCEN_TEXT,
          .help = "JSON file of process groups, {\"1\": [0, 1]}, where the traces name them only"),
    FIELD("dimensions", dimensions, SCEN_NUMBERS, .min = 1, .max = 1e6,
          .help = "ranks along each dimension, the fastest first, where collectives span some"),
    FIELD("compute", plan.compute, SCEN_ENUM, .names = compute_names, .fallback = "measured",
          .help = "what GPU computation takes: as recorded (default), or a roofline of its "
                  "operations and bytes"),
    FIELD("precision", plan.precision, SCEN_ENUM, .names = scen_dtype_names, .fallback = "bf16",
          .help = "whose peak the roofline takes (default: bf16)"),
    FIELD("peak", plan.peak_flop_per_s, SCEN_QUANTITY, .dimension = SCEN_COMPUTE_FLOP_PER_S,
          .help = "of the roofline (default: the GPU's)"),
    FIELD("memory_bandwidth", plan.memory_bytes_per_s, SCEN_QUANTITY,
          .dimension = SCEN_RATE_BYTES_PER_S, .help = "of the roofline (default: the GPU's)"),
    FIELD("speed", plan.speed, SCEN_NUMBER, .min = 0.001, .max = 1000.0, .fallback = "1",
          .help = "of GPU computation over what it is priced at (default: 1)"),
    FIELD("remote_bandwidth", plan.remote_bytes_per_s, SCEN_QUANTITY,
          .dimension = SCEN_RATE_BYTES_PER_S,
          .help = "to memory beyond the GPU's (default: the GPU's link to its host)"),
    FIELD("communication", plan.communication, SCEN_ENUM, .names = communication_names,
          .fallback = "simulated",
          .help = "what collectives and sends take: what the network makes of them (default), or "
                  "as recorded, where that is known"),
    FIELD("algorithm", algorithm, SCEN_TEXT,
          .help = "of all collectives that it serves, as ring (default: the library's choice)"),
};

const ScenTable scen_et_table = {
    .what = "execution_trace",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenEtSection),
    .finish = finish,
};
