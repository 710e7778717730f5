/** Measured kernels, read from tables. See scen_fit_table.c. */
#ifndef SCEN_FIT_TABLE_H
#define SCEN_FIT_TABLE_H

#include "kern_fit_engine.h"
#include "kern_fit_protocol.h"
#include "scen_fit_serve.h"

#include <glib.h>

/** Rows by what is fitted to them. */
typedef struct ScenFitTable {
    GArray *gemm[KERN_GEMM_TYPES];         /* of KernGemmRow */
    GArray *attention;                     /* of KernAttentionRow */
    GArray *collective[TOPO_PROTOCOL_OPS]; /* of KernProtocolRow */
    GArray *engine;                        /* of KernEngineRow */
    ScenServeRows *serve;                  /* attention and experts as engines run them */
    bool switch_reduces;                   /* of the node that was measured: NVLS */
    GString *files;                        /* names of the files, for the source of a fit */
    int64_t skipped;                       /* lines of other kinds */
    const char *model; /* whose layers rows may name; borrowed; NULL: by the table's folder */
    int64_t tensor;    /* ranks that they were cut over; 0: likewise */
} ScenFitTable;

/** An empty table of a node whose scale-up switch reduces or not. */
ScenFitTable *scen_fit_table_new(bool switch_reduces);
void scen_fit_table_free(ScenFitTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenFitTable, scen_fit_table_free)

/** Adds the rows of the CSV file @path. Rows of unknown kinds are counted as skipped. False and
 *  @error (file:line) when the file cannot be read, is empty, or has a value that is none. */
bool scen_fit_table_read(ScenFitTable *table, const char *path, GError **error);

/** Whether any line was a measurement; @error says what would be one. */
bool scen_fit_table_check(const ScenFitTable *table, GError **error);

#endif
