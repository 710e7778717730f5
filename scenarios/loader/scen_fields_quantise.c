/* The table of plan.quantise: how linear layers run in less than 16 bits, as
 * strategies/train/strat_recipe.c uses it. */
#include "scen_fields.h"
#include "strat_recipe.h"

static const ScenName recipes[] = {
    {"fp8-delayed", 0},
    {"fp8-current", 0},
    {"fp8-row",     0},
    {"fp8-block",   0},
    {"mxfp8",       0},
    {"nvfp4",       0},
    {NULL,          0},
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, StratQuantise, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("recipe", recipe, SCEN_TEXT, .names = recipes,
          .help = "how tensors are scaled (default: fp8-delayed in fp8, nvfp4 in fp4)"),
    FIELD("parameters", parameters, SCEN_BOOL, .fallback = "false",
          .help = "weights are kept and gathered quantised, not in 16 bits"),
    FIELD("wide_first", wide_first, SCEN_INT, .max = 65536,
          .help = "layers at the beginning of the model that stay in 16 bits"),
    FIELD("wide_last", wide_last, SCEN_INT, .max = 65536,
          .help = "layers at its end that stay in 16 bits"),
};

const ScenTable scen_quantise_table = {
    .what = "quantise",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratQuantise),
};
