/** Which layers a plan recomputes, where that is not all of them alike. */
#ifndef STRAT_RECOMPUTE_H
#define STRAT_RECOMPUTE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum StratRecomputeMethod {
    STRAT_RECOMPUTE_EACH,     /* every layer on its own */
    STRAT_RECOMPUTE_UNIFORM,  /* every layer, in groups that keep their first input alone */
    STRAT_RECOMPUTE_BLOCK,    /* the first layers of each model chunk; the others keep all */
    STRAT_RECOMPUTE_FRACTION, /* a share of the model's layers, evenly spread */
} StratRecomputeMethod;

/** Zeroed: every layer. */
typedef struct StratRecomputeLayers {
    StratRecomputeMethod method;
    int64_t layers;  /* UNIFORM: of a group; BLOCK: of each chunk that are recomputed */
    double fraction; /* FRACTION: of the layers that are */
} StratRecomputeLayers;

/** Whether layer @in_model of the model, number @in_chunk of its chunk, is recomputed. */
bool strat_recompute_has(const StratRecomputeLayers *which, int64_t in_chunk, int64_t in_model);

/** Of the @count layers from there on, those that are not. */
int64_t strat_recompute_spared(const StratRecomputeLayers *which, int64_t in_chunk,
                               int64_t in_model, int64_t count);

/** Layers that keep one input between them: those of a group, or 1. */
int64_t strat_recompute_group(const StratRecomputeLayers *which);

#endif
