/** Context parallelism: how the ranks that share a sequence let its queries meet its keys. */
#ifndef STRAT_CONTEXT_H
#define STRAT_CONTEXT_H

#include "model_ops.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct StratPlan StratPlan;
typedef struct StratCosting StratCosting;
typedef struct StratModelChunk StratModelChunk;

/** Rows of strat_context_all(), in order. */
typedef enum StratContextKind {
    STRAT_CONTEXT_RING,
    STRAT_CONTEXT_ALL_GATHER,
    STRAT_CONTEXT_ULYSSES,
    STRAT_CONTEXT_HYBRID,
} StratContextKind;

/** Which tokens of a sequence a rank has. */
typedef enum StratContextOrder {
    STRAT_CONTEXT_ZIG_ZAG,    /* a chunk from the front and one from the back: equal work */
    STRAT_CONTEXT_CONTIGUOUS, /* neighbours: the last rank has most of the causal scores */
} StratContextOrder;

/** The knobs of a plan. */
typedef struct StratContext {
    StratContextKind kind;
    StratContextOrder order;
    int64_t heads; /* HYBRID: ranks that exchange heads; the others of the group form rings */
} StratContext;

/** A kind: one row. */
typedef struct StratContextRow {
    const char *name;
    const char *source;
    bool exchanges; /* heads for tokens, over all ranks of the group or those that the plan says */
    bool rings;     /* keys and values meet queries of other ranks */
    bool gathers;   /* by being whole on every rank */
} StratContextRow;

const StratContextRow *strat_context_all(size_t *count);

/** The row of @plan's kind. */
const StratContextRow *strat_context_row(const StratPlan *plan);

/** Ranks of @plan's context group that exchange heads, 1 for none. */
int64_t strat_context_heads(const StratPlan *plan);

/** Whether @plan's kind can run @model; else @reason (owned by the caller) says why not. */
bool strat_context_fits(const ModelSpec *model, const StratPlan *plan, char **reason);

/** Exposed seconds of @op (RING, KEYS, HEADS), forward or @backward, beside or around an attention
 *  of @attention_s. */
double strat_context_s(const StratCosting *costing, const StratModelChunk *chunk, const ModelOp *op,
                       bool backward, double attention_s);

/** Bytes of gathered keys and values, and of their gradients, that a rank has for a moment. */
double strat_context_gathered_bytes(const StratCosting *costing);

#endif
