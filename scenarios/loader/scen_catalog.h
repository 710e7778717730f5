/** Catalogs: maps from a name to a row, in YAML files of the data folder, read when first asked. */
#ifndef SCEN_CATALOG_H
#define SCEN_CATALOG_H

#include "scen_node.h"

typedef enum ScenCatalogKind {
    SCEN_CATALOG_NONE, /* of a section that cannot be named */
    SCEN_CATALOG_MODEL,
    SCEN_CATALOG_GPU,
    SCEN_CATALOG_NODE,
    SCEN_CATALOG_CLUSTER,
    SCEN_CATALOG_PLAN,
    SCEN_CATALOG_PROTOCOL,
    SCEN_CATALOG_ENGINE_KERNELS,
    SCEN_CATALOG_PROFILE,
    SCEN_CATALOG_ERRORS,
    SCEN_CATALOG_SERVING_ENGINE,
    SCEN_CATALOG_PRICE,
    SCEN_CATALOG_EXPERT_KERNELS,
    SCEN_CATALOG_FAULTS,
    SCEN_CATALOG_STORAGE,
    SCEN_CATALOG_COUNT
} ScenCatalogKind;

/** One row. @source is the row's own `source:`, NULL when it leaves that to its `base:`. */
typedef struct ScenRow {
    const char *name;
    const char *source;
    ScenMark mark;
    const ScenNode *node; /* always a map */
} ScenRow;

typedef struct ScenCatalogs ScenCatalogs;

/** Catalogs that many loads share, on any thread: each is read once, when first asked for. */
typedef struct ScenShelf ScenShelf;

/** A shelf of the folder @data_dir; NULL: scen_data_folder(). It must outlive all
 *  that was loaded from it. */
ScenShelf *scen_shelf_new(const char *data_dir);
void scen_shelf_free(ScenShelf *shelf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenShelf, scen_shelf_free)

/** Catalogs of the folder @data_dir (NULL: scen_data_folder()), or of @shelf unless that is NULL. Nodes and
 *  names go to @pool, which is borrowed. Nothing is read yet. */
ScenCatalogs *scen_catalogs_new(const char *data_dir, ScenShelf *shelf, ScenPool *pool);
void scen_catalogs_free(ScenCatalogs *catalogs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenCatalogs, scen_catalogs_free)

/** SHA-256 of all catalog files of scen_data_folder(), in hexadecimal. The caller owns it. */
char *scen_catalogs_digest(void);

ScenPool *scen_catalogs_pool(ScenCatalogs *catalogs);

/** Adds the rows of the file @path, which holds maps `profiles`, `gpus` and `nodes` (and a `schema`
 * and a `machine`, which are a record), to the catalogs; faults go to @errors. */
void scen_catalogs_add(ScenCatalogs *catalogs, const char *path, ScenErrors *errors);

/** All rows (ScenRow) of @kind, files by name and rows in file order; borrowed. Faults of the files
 *  are added to @errors the first time. */
const GArray *scen_catalogs_rows(ScenCatalogs *catalogs, ScenCatalogKind kind, ScenErrors *errors);

/** The row @name, or NULL and an error at @mark that has the nearest name and all known ones. */
const ScenRow *scen_catalogs_find(ScenCatalogs *catalogs, ScenCatalogKind kind, const char *name,
                                  ScenMark mark, ScenErrors *errors);

#endif
