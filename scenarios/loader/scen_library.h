/** The catalogs by themselves, without a scenario: for `orrery list` and for programs. */
#ifndef SCEN_LIBRARY_H
#define SCEN_LIBRARY_H

#include "scen_catalog.h"

typedef struct ScenLibrary ScenLibrary;

/** Opens the catalogs of @data_dir; NULL: $ORRERY_DATA_DIR, else the source tree. */
ScenLibrary *scen_library_new(const char *data_dir);
void scen_library_free(ScenLibrary *library);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenLibrary, scen_library_free)

/** All rows (ScenRow) of @kind in file order, owned by @library. NULL and @error when a catalog
 *  file is missing or wrong. */
const GArray *scen_library_rows(ScenLibrary *library, ScenCatalogKind kind, GError **error);

/** Fills @out (a zeroed ModelSpec, TopoGpu, TopoNode, TopoCluster or StratPlan, by @kind) from the
 *  row @name, bases resolved. Its texts live as long as @library. */
bool scen_library_fill(ScenLibrary *library, ScenCatalogKind kind, const char *name, void *out,
                       GError **error);

#endif
