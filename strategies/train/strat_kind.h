/** Kinds of costs whose errors go together: one figure is wrong everywhere in a step at once. */
#ifndef STRAT_KIND_H
#define STRAT_KIND_H

typedef enum StratKind {
    STRAT_KIND_PRODUCTS,  /* matrix products */
    STRAT_KIND_ATTENTION, /* fused attention */
    STRAT_KIND_PASSES,    /* passes over memory: norms, activations, softmax, optimizer */
    STRAT_KIND_SCALE_UP,  /* exposed collectives inside a scale-up domain */
    STRAT_KIND_SCALE_OUT, /* exposed collectives and sends over the NICs */
    STRAT_KIND_HOST,      /* waits for the host */
    STRAT_KIND_SCHEDULE,  /* the pipeline bubble beyond what its stages explain */
    STRAT_KIND_SOFTWARE,  /* what the plan's software does that no kind covers */
    STRAT_KIND_GUESSES,   /* facts of the plan that are guesses */
    STRAT_KIND_COUNT
} StratKind;

/** JSON key of @kind ("matrix_products", "scale_up_communication"...). */
const char *strat_kind_key(StratKind kind);

/** The same in words, for a report. */
const char *strat_kind_title(StratKind kind);

#endif
