/* Catalogs of models, GPUs, nodes, clusters, plans, protocols, kernel profiles, serving engines and
 * prices.
 *
 * A catalog is a YAML map from names to rows. The catalogs of models and of profiles are
 * folders, whose files are read in the order of their names; the others are one file each. Only
 * catalogs that somebody asks for are read, so that a scenario which names two rows does not pay
 * for the rest. What a row may hold is the business of the tables in scen_fields_*.c; here a row is
 * a map. */
#include "scen_catalog.h"

#include "scen_data.h"
#include "scen_doc.h"
#include "scen_names.h"

#include <string.h>

typedef struct CatalogFile {
    const char *what;
    const char *path; /* below the data folder; a folder when it does not end in .yaml */
} CatalogFile;

static const CatalogFile files[] = {
    {"nothing",        NULL                                  },
    {"model",          "models/catalog"                      },
    {"GPU",            "topology/catalog/gpus.yaml"          },
    {"node",           "topology/catalog/nodes.yaml"         },
    {"cluster",        "topology/catalog/clusters.yaml"      },
    {"training plan",  "strategies/catalog/plans.yaml"       },
    {"protocols",      "topology/catalog/protocols.yaml"     },
    {"engine",         "topology/catalog/engine_kernels.yaml"},
    {"profile",        "kernels/profiles"                    },
    {"uncertainty",    "strategies/catalog/uncertainty.yaml" },
    {"serving engine", "strategies/catalog/engines.yaml"     },
    {"price",          "strategies/catalog/prices.yaml"      },
    {"expert kernels", "topology/catalog/expert_kernels.yaml"},
    {"faults",         "strategies/catalog/faults.yaml"      },
    {"storage",        "strategies/catalog/storage.yaml"     },
};
_Static_assert(G_N_ELEMENTS(files) == SCEN_CATALOG_COUNT, "a file for each catalog");

struct ScenCatalogs {
    char *data_dir;
    ScenShelf *shelf; /* borrowed; NULL: none */
    ScenPool *pool;
    GArray *rows[SCEN_CATALOG_COUNT]; /* ScenRow; NULL until read */
    bool faulty[SCEN_CATALOG_COUNT];
};

struct ScenShelf {
    GMutex mutex; /* of all below */
    ScenPool *pool;
    ScenCatalogs *catalogs;
};

ScenCatalogs *scen_catalogs_new(const char *data_dir, ScenShelf *shelf, ScenPool *pool)
{
    ScenCatalogs *catalogs = g_new0(ScenCatalogs, 1);
    catalogs->data_dir = data_dir ? g_strdup(data_dir) : scen_data_folder();
    catalogs->shelf = shelf;
    catalogs->pool = pool;
    return catalogs;
}

ScenShelf *scen_shelf_new(const char *data_dir)
{
    ScenShelf *shelf = g_new0(ScenShelf, 1);
    g_mutex_init(&shelf->mutex);
    shelf->pool = scen_pool_new();
    shelf->catalogs = scen_catalogs_new(data_dir, NULL, shelf->pool);
    return shelf;
}

void scen_shelf_free(ScenShelf *shelf)
{
    if (!shelf)
        return;
    scen_catalogs_free(shelf->catalogs);
    scen_pool_free(shelf->pool);
    g_mutex_clear(&shelf->mutex);
    g_free(shelf);
}

void scen_catalogs_free(ScenCatalogs *catalogs)
{
    if (!catalogs)
        return;
    for (size_t i = 0; i < SCEN_CATALOG_COUNT; i++)
        if (catalogs->rows[i])
            g_array_unref(catalogs->rows[i]);
    g_free(catalogs->data_dir);
    g_free(catalogs);
}

ScenPool *scen_catalogs_pool(ScenCatalogs *catalogs)
{
    return catalogs->pool;
}

static const ScenRow *row_by_name(const GArray *rows, const char *name)
{
    for (size_t i = 0; i < rows->len; i++)
        if (g_str_equal(g_array_index(rows, ScenRow, i).name, name))
            return &g_array_index(rows, ScenRow, i);
    return NULL;
}

static void add_row(GArray *rows, const ScenItem *item, ScenErrors *errors)
{
    g_autofree char *quoted = scen_quote(item->key);
    if (item->value->kind != SCEN_NODE_MAP) {
        scen_errors_add(errors, item->key_mark, "the row %s must be a map", quoted);
        return;
    }
    const ScenRow *twin = row_by_name(rows, item->key);
    if (twin) {
        scen_errors_add(errors, item->key_mark, "the row %s is in %s already", quoted,
                        twin->mark.file);
        return;
    }
    const ScenNode *source = scen_node_get(item->value, "source");
    ScenRow row = {
        .name = item->key,
        .source = source ? source->text : NULL,
        .mark = item->key_mark,
        .node = item->value,
    };
    g_array_append_val(rows, row);
}

static void read_file(ScenCatalogs *catalogs, GArray *rows, const char *path, ScenErrors *errors)
{
    const ScenNode *root = scen_doc_read(catalogs->pool, path, SCEN_ORIGIN_CATALOG, errors);
    if (!root)
        return;
    if (root->kind != SCEN_NODE_MAP) {
        scen_errors_add(errors, root->mark, "a catalog must be a map from names to rows");
        return;
    }
    for (size_t i = 0; i < root->items->len; i++)
        add_row(rows, &g_array_index(root->items, ScenItem, i), errors);
}

static int name_compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The .yaml files of the folder @path, by name. */
static GPtrArray *files_new(const char *path, GError **error)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, error);
    if (!folder)
        return NULL;
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(folder); name; name = g_dir_read_name(folder))
        if (g_str_has_suffix(name, ".yaml") && name[0] != '.')
            g_ptr_array_add(found, g_build_filename(path, name, NULL));
    g_ptr_array_sort(found, name_compare);
    return found;
}

static void read_folder(ScenCatalogs *catalogs, GArray *rows, const char *path, ScenErrors *errors)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = files_new(path, &error);
    ScenMark mark = {.file = path, .origin = SCEN_ORIGIN_CATALOG};
    if (!found)
        scen_errors_add(errors, mark, "the catalog cannot be opened: %s", error->message);
    else if (found->len == 0)
        scen_errors_add(errors, mark, "the catalog holds no .yaml file");
    for (size_t i = 0; found && i < found->len; i++)
        read_file(catalogs, rows, found->pdata[i], errors);
}

/* A file that cannot be read adds nothing: whoever needs it says so. */
static void add_contents(GChecksum *sum, const char *path)
{
    gsize length = 0;
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, &length, NULL))
        g_checksum_update(sum, (const guchar *)text, (gssize)length);
}

char *scen_catalogs_digest(void)
{
    g_autofree char *data_dir = scen_data_folder();
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (int kind = SCEN_CATALOG_NONE + 1; kind < SCEN_CATALOG_COUNT; kind++) {
        g_autofree char *path = g_build_filename(data_dir, files[kind].path, NULL);
        bool file = g_str_has_suffix(path, ".yaml");
        g_autoptr(GPtrArray) found = file ? NULL : files_new(path, NULL);
        if (file)
            add_contents(sum, path);
        for (guint i = 0; found && i < found->len; i++)
            add_contents(sum, found->pdata[i]);
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* The rows of the shelf, which nobody changes; NULL when they are faulty, so that whoever wants them
 * reads them and says why. */
static GArray *shelf_rows(ScenShelf *shelf, ScenCatalogKind kind)
{
    g_mutex_lock(&shelf->mutex);
    g_autoptr(ScenErrors) errors = scen_errors_new();
    const GArray *rows = scen_catalogs_rows(shelf->catalogs, kind, errors);
    bool faulty = shelf->catalogs->faulty[kind];
    g_mutex_unlock(&shelf->mutex);
    return faulty ? NULL : g_array_ref((GArray *)rows);
}

const GArray *scen_catalogs_rows(ScenCatalogs *catalogs, ScenCatalogKind kind, ScenErrors *errors)
{
    if (!catalogs->rows[kind] && catalogs->shelf)
        catalogs->rows[kind] = shelf_rows(catalogs->shelf, kind);
    if (catalogs->rows[kind])
        return catalogs->rows[kind];
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(ScenRow));
    g_autofree char *path = g_build_filename(catalogs->data_dir, files[kind].path, NULL);
    size_t before = scen_errors_count(errors);
    if (g_str_has_suffix(path, ".yaml"))
        read_file(catalogs, rows, path, errors);
    else
        read_folder(catalogs, rows, path, errors);
    catalogs->rows[kind] = rows;
    catalogs->faulty[kind] = scen_errors_count(errors) > before;
    return rows;
}

const ScenRow *scen_catalogs_find(ScenCatalogs *catalogs, ScenCatalogKind kind, const char *name,
                                  ScenMark mark, ScenErrors *errors)
{
    const GArray *rows = scen_catalogs_rows(catalogs, kind, errors);
    const ScenRow *row = row_by_name(rows, name);
    if (row || catalogs->faulty[kind]) /* then the row may be missing for that reason alone */
        return row;
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < rows->len; i++)
        g_ptr_array_add(known, (void *)g_array_index(rows, ScenRow, i).name);
    g_autofree char *quoted = scen_quote(name);
    g_autofree char *advice = scen_names_advice(name, known);
    scen_errors_add(errors, mark, "unknown %s %s%s", files[kind].what, quoted, advice);
    return NULL;
}

/* The rows of @kind, to add to: those of a shelf are copied. */
static GArray *own_rows(ScenCatalogs *catalogs, ScenCatalogKind kind, ScenErrors *errors)
{
    GArray *rows = (GArray *)scen_catalogs_rows(catalogs, kind, errors);
    if (!catalogs->shelf)
        return rows;
    catalogs->rows[kind] = g_array_copy(rows);
    g_array_unref(rows);
    return catalogs->rows[kind];
}

void scen_catalogs_add(ScenCatalogs *catalogs, const char *path, ScenErrors *errors)
{
    static const struct {
        const char *key;
        ScenCatalogKind kind;
    } sections[] = {
        {"schema",   SCEN_CATALOG_NONE   },
        {"machine",  SCEN_CATALOG_NONE   },
        {"profiles", SCEN_CATALOG_PROFILE},
        {"gpus",     SCEN_CATALOG_GPU    },
        {"nodes",    SCEN_CATALOG_NODE   },
    };
    const ScenNode *root = scen_doc_read(catalogs->pool, path, SCEN_ORIGIN_DOCUMENT, errors);
    for (guint i = 0; root && root->kind == SCEN_NODE_MAP && i < root->items->len; i++) {
        const ScenItem *item = &g_array_index(root->items, ScenItem, i);
        size_t s = 0;
        while (s < G_N_ELEMENTS(sections) && !g_str_equal(sections[s].key, item->key))
            s++;
        if (s == G_N_ELEMENTS(sections)) {
            g_autofree char *quoted = scen_quote(item->key);
            scen_errors_add(errors, item->key_mark,
                            "unknown key %s in a file of devices, it has: schema, machine, "
                            "profiles, gpus, nodes",
                            quoted);
        } else if (sections[s].kind != SCEN_CATALOG_NONE && item->value->kind == SCEN_NODE_MAP) {
            GArray *rows = own_rows(catalogs, sections[s].kind, errors);
            for (guint j = 0; j < item->value->items->len; j++)
                add_row(rows, &g_array_index(item->value->items, ScenItem, j), errors);
        }
    }
    if (root && root->kind != SCEN_NODE_MAP)
        scen_errors_add(errors, root->mark, "a file of devices must be a map");
}
