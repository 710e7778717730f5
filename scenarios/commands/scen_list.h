/** What `orrery list` knows, for the schema and the completion. */
#ifndef SCEN_LIST_H
#define SCEN_LIST_H

#include "scen_catalog.h"

/** The kinds, in the order of `orrery list` (char *). The caller owns them. */
GPtrArray *scen_list_kinds(void);

/** The names of the rows of @kind (char *), none when there is no such kind. NULL and @error when
 *  its catalog cannot be read. The caller owns them. */
GPtrArray *scen_list_names(const char *kind, GError **error);

/** The catalog behind @kind, NONE where rows are of the code or there is no such kind. */
ScenCatalogKind scen_list_catalog(const char *kind);

/** The kind whose rows @catalog has, NULL for NONE. */
const char *scen_list_kind_of(ScenCatalogKind catalog);

/** The kind that a help text @text (may be NULL) points at, as in "(orrery list nodes)"; NULL when
 *  it points at none. So a help that says where names come from says it to programs, too. The
 *  caller owns it. */
char *scen_list_told_in(const char *text);

#endif
