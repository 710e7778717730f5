/** Ways in which data-parallel replicas come to agree after a step. */
#ifndef STRAT_AGREE_H
#define STRAT_AGREE_H

#include "strat_cost.h"

/** A way to exchange gradients or weights. */
typedef struct StratAgree {
    const char *name;
    const char *source;
    bool is_served;      /* by parameter servers */
    double kept_weights; /* copies of the weights besides one's own; above 0: it sends weights, in
                            the type in which they are kept, not gradients */
    /** Seconds of the exchange that would be @whole as one collective; NULL: it is one. */
    double (*seconds)(const StratCosting *costing, const TopoTransfer *whole);
} StratAgree;

/** All rows; @count receives how many. The first is the default. */
const StratAgree *strat_agree_all(size_t *count);

/** The row called @name, the first for NULL. NULL and @error when there is none. */
const StratAgree *strat_agree_by_name(const char *name, GError **error);

/** Makes of @transfer, an all-reduce of the gradients of @params parameters, what @costing's plan
 *  does instead. Pure. */
void strat_agree_apply(const StratCosting *costing, double params, TopoTransfer *transfer);

/** Seconds that a rank takes to compress the gradients of @params parameters, and to restore what
 *  comes back. Pure; 0 where nothing is compressed. */
double strat_compress_s(const StratCosting *costing, double params);
double strat_restore_s(const StratCosting *costing, double params);

#endif
