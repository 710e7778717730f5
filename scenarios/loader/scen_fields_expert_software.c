/* The table of what software does with layers of experts, as
 * strategies/train/strat_expert_software.c takes it. */
#include "scen_fields.h"
#include "strat_expert_software.h"

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, StratExpertSoftware, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("fused", fused, SCEN_BOOL, .fallback = "false",
          .help = "grouped products, activation and casts are one kernel"),
    FIELD("host_layer", host_layer_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "host time of a layer of experts, forward and backward, in s (default: 0)"),
    FIELD("host_expert", host_expert_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "more of it for each expert of a rank, in s (default: 0)"),
    FIELD("host_overlap", host_overlap_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "more of it with overlap.expert, in s (default: 0)"),
};

const ScenTable scen_moe_software_table = {
    .what = "expert software",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratExpertSoftware),
};
