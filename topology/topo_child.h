/** Work that may bring its process down, done in a child process. */
#ifndef TOPO_CHILD_H
#define TOPO_CHILD_H

#include <glib.h>
#include <stdbool.h>

/** Appends its answer to @answer. False and @error when there is none. */
typedef bool (*TopoChildFunc)(void *ctx, GByteArray *answer, GError **error);

/** Has @work called with @ctx in a child of this process and returns its answer, owned by the
 *  caller; nothing else that it changes is seen here, and what it prints stays away from the
 *  terminal. NULL and @error: that of @work, or G_SPAWN_ERROR_FAILED when the child died, with the
 *  beginning of what it printed. */
GByteArray *topo_child_ask(TopoChildFunc work, void *ctx, GError **error);

#endif
