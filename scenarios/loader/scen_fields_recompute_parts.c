/* The table of parts of a layer that are recomputed, as strategies/train/strat_recompute_parts.c
 * takes it. */
#include "scen_fields.h"
#include "strat_recompute_parts.h"

#define FIELD(key, member, ...)                                                                    \
    SCEN_FIELD(key, StratRecomputeParts, member, SCEN_BOOL, .fallback = "false", __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("norms", norms, .help = "outputs of norms"),
    FIELD("up_projection", up_projection, .help = "queries, keys and values of latent attention"),
    FIELD("activations", activations, .help = "outputs of activation functions"),
    FIELD("quantised_inputs", quantised_inputs,
          .help = "inputs of activation functions are kept as the recipe quantises them"),
};

const ScenTable scen_recompute_parts_table = {
    .what = "recomputed parts",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratRecomputeParts),
};
