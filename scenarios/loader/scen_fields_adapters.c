/* The table of low-rank adapters, as models/model_adapters.c adds them. */
#include "model_adapters.h"
#include "scen_fields.h"

static const ScenName adapted[] = {
    {"query-value", MODEL_ADAPTED_QUERY_VALUE},
    {"attention",   MODEL_ADAPTED_ATTENTION  },
    {"all",         MODEL_ADAPTED_ALL        },
    {NULL,          0                        },
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, ModelAdapters, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("rank", rank, SCEN_INT, .required = true, .min = 1, .max = 65536,
          .help = "rank of the adapters; all other weights are frozen"),
    FIELD("on", on, SCEN_ENUM, .names = adapted, .fallback = "all",
          .help = "linear layers that have one"),
    FIELD("nf4", nf4, SCEN_BOOL, .fallback = "false",
          .help = "frozen linear weights are kept in 4 bits (QLoRA)"),
    FIELD("double_quantisation", double_quantisation, SCEN_BOOL, .fallback = "false",
          .help = "of nf4: the maxima of its blocks are quantised as well"),
};

const ScenTable scen_adapters_table = {
    .what = "adapters",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ModelAdapters),
};
