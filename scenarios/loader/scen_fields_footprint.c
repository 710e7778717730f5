/* The table of what a software holds in memory besides, as strategies/train/strat_footprint.c takes
 * it. */
#include "scen_fields.h"
#include "strat_footprint.h"

static const ScenName losses[] = {
    {"in-place", STRAT_LOSS_IN_PLACE},
    {"torch",    STRAT_LOSS_TORCH   },
    {"torch-16", STRAT_LOSS_TORCH_16},
    {"fused",    STRAT_LOSS_FUSED   },
    {NULL,       0                  },
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, StratFootprint, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("loss", loss, SCEN_ENUM, .names = losses, .fallback = "in-place",
          .help = "copies of the logits that the loss makes (default: Megatron-LM's)"),
    FIELD("gradient_stand_ins", gradient_stand_ins, SCEN_BOOL, .fallback = "false",
          .help = "a 16-bit tensor for each shape of weight whose gradient is added elsewhere"),
    FIELD("root_unit", root_unit, SCEN_BOOL, .fallback = "false",
          .help = "zero_stage 3: embedding and head stay gathered through the step"),
    FIELD("matrix_units", matrix_units, SCEN_BOOL, .fallback = "false",
          .help = "zero_stage 3: gathered matrix by matrix, reduced by buckets, as DeepSpeed's"),
    FIELD("gathered_inputs", gathered_inputs, SCEN_BOOL, .fallback = "false",
          .help = "sequence_parallel: inputs of products are kept gathered, not gathered again"),
    FIELD("master_bytes", master_bytes, SCEN_INT, .min = 2, .max = 4, .fallback = "4",
          .help = "of the master beside a 16-bit weight: 4, or the 2 that the weight lacks"),
};

const ScenTable scen_footprint_table = {
    .what = "footprint",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratFootprint),
};
