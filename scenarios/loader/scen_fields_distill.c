/* The tables of a teacher, as strategies/train/strat_distill.c runs it, and of sparse weights. */
#include "scen_fields.h"
#include "strat_plan.h"

#define DISTILL(key, member, of_kind, ...)                                                         \
    SCEN_FIELD(key, StratDistill, member, of_kind, __VA_ARGS__)

static const ScenField distill_fields[] = {
    DISTILL("teacher", teacher, SCEN_SECTION, .required = true, .table = &scen_model_table,
            .help = "model whose forward runs beside the step"),
    DISTILL("tensor", tensor, SCEN_INT, .max = 65536,
            .help = "GPUs that cut its matrices (default: as the plan's tensor)"),
    DISTILL("top_logits", top_logits, SCEN_INT, .max = 1e8,
            .help = "logits of a token that reach the loss; 0: all (default)"),
};

const ScenTable scen_distill_table = {
    .what = "distillation",
    .fields = distill_fields,
    .count = G_N_ELEMENTS(distill_fields),
    .size = sizeof(StratDistill),
};

#define SPARSITY(key, member, of_kind, ...)                                                        \
    SCEN_FIELD(key, StratSparsity, member, of_kind, __VA_ARGS__)

static const ScenField sparsity_fields[] = {
    SPARSITY("gain", gain, SCEN_NUMBER, .min = 1.0, .max = 2.0, .fallback = "1.6",
             .help = "of their products over dense ones (default: 1.6, of 2 in the datasheet)"),
    SPARSITY("backward", backward, SCEN_BOOL, .fallback = "false",
             .help = "the gradient of the input is sparse too: transposable masks"),
};

const ScenTable scen_sparsity_table = {
    .what = "sparsity",
    .fields = sparsity_fields,
    .count = G_N_ELEMENTS(sparsity_fields),
    .size = sizeof(StratSparsity),
};
