/** One catalog row, bound on its own: for commands and tests that need no whole scenario. */
#ifndef SCEN_NAMED_H
#define SCEN_NAMED_H

#include "scen_catalog.h"

/** Fills @out (zeroed; the struct that scen_catalog_table(@kind) fills) from the row @name; texts
 *  go to @strings. @data_dir as in scen_catalogs_new(). False and @error when there is none. */
bool scen_named_bind(ScenCatalogKind kind, const char *name, const char *data_dir,
                     GStringChunk *strings, void *out, GError **error);

/** Called for a row: its name, its source (its base's when it has none of its own). */
typedef void (*ScenNamedFunc)(const char *name, const char *source, void *data);

/** Calls @func for every row of @kind, files by name and rows in file order. */
bool scen_named_foreach(ScenCatalogKind kind, const char *data_dir, ScenNamedFunc func, void *data,
                        GError **error);

#endif
