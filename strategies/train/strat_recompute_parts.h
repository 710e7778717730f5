/** Parts of a layer whose outputs the backward computes again, beside the usual recomputation. */
#ifndef STRAT_RECOMPUTE_PARTS_H
#define STRAT_RECOMPUTE_PARTS_H

#include "model_ops.h"
#include "strat_recipe.h"

#include <stdbool.h>

/** Zeroed: none. */
typedef struct StratRecomputeParts {
    bool norms;            /* what products read comes from the norm's input again */
    bool up_projection;    /* of latent attention: queries, keys and values */
    bool activations;      /* what the last product of an MLP or expert reads */
    bool quantised_inputs; /* what activations read is kept in the recipe's type */
} StratRecomputeParts;

/** Marks the operations of @ops, those of a layer, that are repeated, and drops what they need not
 *  keep; @recipe NULL: 16 bits. */
void strat_recompute_parts_apply(const StratRecomputeParts *parts, const StratRecipe *recipe,
                                 ModelOps *ops);

#endif
