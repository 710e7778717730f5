/* The tables of how tensor and context ranks share a layer: strategies/train/strat_tensor.c and
 * strat_context.c. Both fill a StratPlan, so that what is not written takes its default. */
#include "scen_fields.h"
#include "strat_plan.h"

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, StratPlan, member, of_kind, __VA_ARGS__)

static const ScenName tensor_kinds[] = {
    {"1d",   STRAT_TENSOR_1D  },
    {"2d",   STRAT_TENSOR_2D  },
    {"2.5d", STRAT_TENSOR_2_5D},
    {NULL,   0                },
};

static const ScenField tensor_fields[] = {
    FIELD("kind", tensor_parallel.kind, SCEN_ENUM, .names = tensor_kinds, .fallback = "1d",
          .help = "ranks in a row, or in grids (orrery list tensor-kinds)"),
    FIELD("depth", tensor_parallel.depth, SCEN_INT, .min = 1, .max = 1024, .fallback = "1",
          .help = "2.5d: grids over the batch (default: 1)"),
    FIELD("chunks", tensor_parallel.chunks, SCEN_INT, .min = 1, .max = 1024,
          .help = "of traffic under its product, with overlap.tensor (default: one a rank)"),
    FIELD("gathers_logits", tensor_parallel.gathers_logits, SCEN_BOOL, .fallback = "false",
          .help = "every rank has all logits and the whole loss; else both are cut (default)"),
};

const ScenTable scen_tensor_table = {
    .what = "tensor_parallel",
    .fields = tensor_fields,
    .count = G_N_ELEMENTS(tensor_fields),
    .size = sizeof(StratPlan),
};

static const ScenName context_kinds[] = {
    {"ring",       STRAT_CONTEXT_RING      },
    {"all-gather", STRAT_CONTEXT_ALL_GATHER},
    {"ulysses",    STRAT_CONTEXT_ULYSSES   },
    {"hybrid",     STRAT_CONTEXT_HYBRID    },
    {NULL,         0                       },
};

static const ScenName context_orders[] = {
    {"zig-zag",    STRAT_CONTEXT_ZIG_ZAG   },
    {"contiguous", STRAT_CONTEXT_CONTIGUOUS},
    {NULL,         0                       },
};

static const ScenField context_fields[] = {
    FIELD("kind", context_parallel.kind, SCEN_ENUM, .names = context_kinds, .fallback = "ring",
          .help = "how queries meet keys of other ranks (orrery list context-kinds)"),
    FIELD("order", context_parallel.order, SCEN_ENUM, .names = context_orders,
          .fallback = "zig-zag", .help = "tokens of a rank: from both ends, or side by side"),
    FIELD("heads", context_parallel.heads, SCEN_INT, .min = 1, .max = 65536,
          .help = "hybrid: ranks that exchange heads; the rest of context are rings"),
};

const ScenTable scen_context_table = {
    .what = "context_parallel",
    .fields = context_fields,
    .count = G_N_ELEMENTS(context_fields),
    .size = sizeof(StratPlan),
};
