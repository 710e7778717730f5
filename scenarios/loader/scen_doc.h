/** Reading YAML within bounds: a file or a text becomes a tree of nodes, or errors with marks. */
#ifndef SCEN_DOC_H
#define SCEN_DOC_H

#include "scen_node.h"

#define SCEN_DOC_BYTES_MAX (4 << 20) /* of one file */
#define SCEN_DOC_DEPTH_MAX 64        /* groups within groups, aliases expanded */
#define SCEN_DOC_NODES_MAX 200000    /* of one document, aliases expanded */

/** The tree of @length bytes of YAML @text; @name is what marks call it. NULL when the text is no
 *  document; then, and for lesser faults (duplicate keys), @errors has grown. With origin
 *  OVERRIDE all marks are the name alone. Nodes belong to @pool. */
const ScenNode *scen_doc_parse(ScenPool *pool, const char *name, ScenOrigin origin,
                               const char *text, size_t length, ScenErrors *errors);

/** The same for the file @path, of at most SCEN_DOC_BYTES_MAX bytes. */
const ScenNode *scen_doc_read(ScenPool *pool, const char *path, ScenOrigin origin,
                              ScenErrors *errors);

/** The contents of @path (NUL-terminated; the caller owns them) and their @length, NULL and an
 *  error when it is missing, a folder, empty, not UTF-8 text or over SCEN_DOC_BYTES_MAX. */
char *scen_file_read(const char *path, size_t *length, GError **error);

#endif
