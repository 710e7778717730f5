/** The figures of an answer: every number of its JSON, by a dotted path. */
#ifndef SCEN_LEAVES_H
#define SCEN_LEAVES_H

#include <glib.h>

/** One number. @path joins keys and places in arrays by dots: "memory.0.peak_bytes". */
typedef struct ScenLeaf {
    char *path;
    double value;
} ScenLeaf;

/** The numbers of the document @json, in its order: an array of ScenLeaf that the caller frees.
 *  Texts, truth values and nulls are left out, and so is the member "schema". NULL and @error when
 *  @json is none. */
GArray *scen_leaves_of(const char *json, GError **error);

/** The leaf @path of @leaves; NULL when there is none. */
const ScenLeaf *scen_leaves_find(const GArray *leaves, const char *path);

#endif
