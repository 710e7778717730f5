/* The table of which layers are recomputed, as strategies/train/strat_recompute.c takes it. */
#include "scen_fields.h"
#include "strat_recompute.h"

static const ScenName methods[] = {
    {"uniform",  STRAT_RECOMPUTE_UNIFORM },
    {"block",    STRAT_RECOMPUTE_BLOCK   },
    {"fraction", STRAT_RECOMPUTE_FRACTION},
    {NULL,       0                       },
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, StratRecomputeLayers, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("method", method, SCEN_ENUM, .names = methods, .required = true,
          .help = "groups of layers, the first layers of each chunk, or a share of all"),
    FIELD("layers", layers, SCEN_INT, .min = 1, .max = 1e6,
          .help = "uniform: layers of a group; block: layers of each chunk"),
    FIELD("fraction", fraction, SCEN_NUMBER, .max = 1.0,
          .help = "fraction: share of the model's layers; every k-th is 1/k"),
};

const ScenTable scen_recompute_table = {
    .what = "recomputed layers",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratRecomputeLayers),
};
