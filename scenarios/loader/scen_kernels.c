/* Measured tables in a scenario.
 *
 *   kernels: {table: gemm.csv}                              beside the GPU's own profile
 *   kernels: {base: h100, table: [gemm.csv, attention.csv]}
 *   kernels: {table: {file: profile/tp1/dense.csv, model: llama-3.1-8b, tensor: 1}}
 *
 * Paths start at the folder of the scenario. Where the rows name layers of a model, the model is
 * the one written here, else the one of a meta.yaml in the folder of the file or the one above. All
 * files make one index: of shapes that stand in several, the median counts.
 *
 * Rows of a catalog have no tables: their profiles ship as coefficients. */
#include "scen_kernels.h"

#include "kern_table.h"
#include "scen_fields.h"
#include "scen_measured.h"
#include "scen_section.h"

typedef struct TableFile {
    const char *file;
    const char *model;
    int64_t tensor;
    int precision;
} TableFile;

static const ScenName precisions[] = {
    {"fp32", TOPO_DTYPE_FP32},
    {"fp16", TOPO_DTYPE_FP16},
    {"bf16", TOPO_DTYPE_BF16},
    {NULL,   0              },
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, TableFile, member, of_kind, __VA_ARGS__)

static const ScenField file_fields[] = {
    FIELD("file", file, SCEN_TEXT, .required = true, .help = "path of the CSV file"),
    FIELD("model", model, SCEN_TEXT, .help = "model whose layers the rows name"),
    FIELD("tensor", tensor, SCEN_INT, .min = 1, .max = 1024,
          .help = "ranks that the layers were cut over (default: of the folder's name, tp4)"),
    FIELD("precision", precision, SCEN_ENUM, .names = precisions, .fallback = "bf16",
          .help = "type that the layers ran in"),
};

static const ScenTable file_table = {
    .what = "table",
    .fields = file_fields,
    .count = G_N_ELEMENTS(file_fields),
    .size = sizeof(TableFile),
};

/* Adds the rows of @file; an error at @mark when they cannot be had. */
static void read_file(ScenBinder *binder, const TableFile *file, ScenMark mark,
                      ScenMeasured *measured)
{
    size_t before = scen_errors_count(binder->errors);
    g_autofree char *path = g_path_is_absolute(file->file) || !binder->folder
                                ? g_strdup(file->file)
                                : g_build_filename(binder->folder, file->file, NULL);
    g_autofree char *beside = file->model ? NULL : scen_measured_model_beside(path);
    const char *name = file->model ? file->model : beside;
    ModelSpec model = {0};
    if (name && binder->catalogs) {
        ScenNode text = {.kind = SCEN_NODE_TEXT, .mark = mark, .text = name};
        const ScenNode *row = scen_section_resolve(binder, &scen_model_table, &text);
        if (row)
            scen_bind(binder, &scen_model_table, row, &model);
    }
    if (scen_errors_count(binder->errors) > before)
        return;
    ScenProfiled profiled = {.model = model.hidden > 0 ? &model : NULL,
                             .tensor = file->tensor,
                             .dtype = (TopoDtype)file->precision};
    g_autoptr(GError) error = NULL;
    if (!scen_measured_read(measured, path, &profiled, &error))
        scen_errors_add(binder->errors, mark, "%s", error->message);
}

static bool read_item(ScenBinder *binder, const ScenNode *node, ScenMeasured *measured)
{
    TableFile file = {.precision = TOPO_DTYPE_BF16};
    if (node->kind == SCEN_NODE_TEXT && node->text[0] != '\0')
        file.file = node->text;
    else if (node->kind != SCEN_NODE_MAP)
        return false;
    else if (!scen_bind(binder, &file_table, node, &file))
        return true; /* what it refuses has paths of its own */
    read_file(binder, &file, node->mark, measured);
    return true;
}

const ScenForm scen_table_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "path of a CSV file"}                                    },
    {.value = {.kind = SCEN_MAP,
               .table = &file_table,
               .help = "a CSV file whose rows name layers"}                                   },
    {.value = {.kind = SCEN_TEXT, .help = "path of a CSV file"},                                     .least = 1, .most = 1000},
    {.value = {.kind = SCEN_MAP, .table = &file_table, .help = "a CSV file whose rows name layers"},
     .least = 1,
     .most = 1000},
    {.value = {.help = NULL}},
};

bool scen_table_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    if (node->mark.origin == SCEN_ORIGIN_CATALOG) {
        scen_errors_add(binder->errors, node->mark, "a table belongs into a scenario's kernels");
        return true;
    }
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    size_t before = scen_errors_count(binder->errors);
    bool sound = node->kind != SCEN_NODE_LIST || node->items->len > 0;
    if (node->kind != SCEN_NODE_LIST)
        sound = read_item(binder, node, measured);
    else
        for (size_t i = 0; i < node->items->len; i++)
            sound =
                read_item(binder, g_array_index(node->items, ScenItem, i).value, measured) && sound;
    if (!sound || scen_errors_count(binder->errors) > before)
        return sound;
    if (measured->gemm->len + measured->attention->len + scen_serve_rows_count(measured->serve) ==
        0)
        scen_errors_add(binder->errors, node->mark,
                        "no row of these tables is a product, a call of attention or a layer of "
                        "experts");
    else
        *(KernTable **)slot = scen_measured_table(measured);
    return true;
}

static bool leaves_profile(const ScenNode *node)
{
    return node && node->kind == SCEN_NODE_MAP && scen_node_get(node, "table") &&
           !scen_node_get(node, "base") && !scen_node_get(node, "gemm");
}

bool scen_kernels_defer(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                        void *slot)
{
    (void)binder;
    (void)field;
    (void)slot;
    return leaves_profile(node);
}

static void bind_profile(ScenBinder *binder, const ScenNode *node, const char *path, void *profile)
{
    const ScenNode *row = scen_section_resolve(binder, &scen_profile_table, node);
    size_t length = binder->path->len;
    g_string_append(binder->path, path);
    if (row)
        scen_bind(binder, &scen_profile_table, row, profile);
    g_string_truncate(binder->path, length);
}

void scen_kernels_finish(ScenBinder *binder, const ScenNode *map, const char *name, void *profile)
{
    const ScenNode *kernels = scen_node_get(map, "kernels");
    if (!binder->catalogs || (kernels && !leaves_profile(kernels)) || (!kernels && !name))
        return;
    if (!name) {
        scen_bind_fail(binder, map, "kernels",
                       "the GPU has no profile, so the table needs one behind it (base: NAME, "
                       "orrery list profiles)");
        return;
    }
    ScenPool *pool = scen_catalogs_pool(binder->catalogs);
    const ScenNode *node = scen_node_text(pool, kernels ? kernels->mark : map->mark, name);
    if (kernels) {
        const ScenNode *based = scen_node_with(pool, kernels, "base", kernels->mark, node);
        /* Only a table was added: the coefficients still deserve their name. */
        bool alone = kernels->items->len == 1;
        node = alone ? scen_node_with(pool, based, "name", kernels->mark, node) : based;
    }
    bind_profile(binder, node, kernels ? "kernels" : "", profile);
}

void scen_kernels_of_mixed(ScenBinder *binder, const ScenNode *map, const char *name, void *profile)
{
    if (!binder->catalogs || !name)
        return;
    ScenPool *pool = scen_catalogs_pool(binder->catalogs);
    bind_profile(binder, scen_node_text(pool, map->mark, name), "", profile);
}
