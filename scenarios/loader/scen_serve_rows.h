/** Measured kernels of serving by class, read from tables. See scen_serve_rows.c. */
#ifndef SCEN_SERVE_ROWS_H
#define SCEN_SERVE_ROWS_H

#include "kern_table_serve.h"

#include <glib.h>

/** Rows by class. */
typedef struct ScenServeRows {
    GArray *prefill[KERN_HEAD_COUNT][KERN_CACHE_COUNT]; /* of KernPrefillRow */
    GArray *decode[KERN_HEAD_COUNT][KERN_CACHE_COUNT];  /* of KernDecodeRow */
    GArray *moe[KERN_MOE_TYPES][KERN_MOE_FAMILIES];     /* of KernMoeRow */
    GStringChunk *software;
    int64_t impossible; /* decode rows that beat the memory, left out */
} ScenServeRows;

ScenServeRows *scen_serve_rows_new(void);
void scen_serve_rows_free(ScenServeRows *serve);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenServeRows, scen_serve_rows_free)

/** A line of a table: its text under a column, "" where there is none. */
typedef struct ScenServeLine {
    const char *(*text)(const void *ctx, const char *column);
    const void *ctx;
} ScenServeLine;

/** Keeps @line when it is context_attention, generation_attention or moe; false when it is none. */
bool scen_serve_rows_take(ScenServeRows *serve, const ScenServeLine *line, double seconds);

/** Keeps a call of attention, as decode when it has one query. */
void scen_serve_rows_add(ScenServeRows *serve, const KernPrefillShape *shape, double seconds);

/** Gives @table the rows. */
void scen_serve_rows_index(const ScenServeRows *serve, KernTable *table);

/** Rows that are kept. */
size_t scen_serve_rows_count(const ScenServeRows *serve);

/** Leaves out decode rows that beat the memory's peak on caches beyond the L2: see the essay. */
void scen_serve_rows_drop_impossible(ScenServeRows *serve, const TopoGpu *gpu);

#endif
