/* The table of an expert layer's dispatch and combine kernels, as topology/topo_protocol_expert.c
 * uses them. */
#include "scen_fields.h"
#include "topo_protocol_expert.h"

#define TERM(key, member, of_kind, ...)                                                            \
    SCEN_FIELD(key, TopoExpertTerm, member, of_kind, .required = true, __VA_ARGS__)

static const ScenField term_fields[] = {
    TERM("base_latency", base_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "launch and first arrival, in s"),
    TERM("ramp", ramp_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "extra seconds of large messages, in s"),
    TERM("ramp_size", ramp_bytes, SCEN_QUANTITY, .dimension = SCEN_DATA_BYTES,
         .help = "bytes of a port at which half of the ramp is paid"),
    TERM("inside_fraction", inside_fraction, SCEN_NUMBER, .min = 1e-3, .max = 1.5,
         .help = "of the scale-up rate that payload reaches"),
    TERM("across_fraction", across_fraction, SCEN_NUMBER, .max = 1.5,
         .help = "of the NICs' rate; 0: not measured across domains"),
};

static const ScenTable term_table = {
    .what = "direction",
    .fields = term_fields,
    .count = G_N_ELEMENTS(term_fields),
    .size = sizeof(TopoExpertTerm),
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, TopoExpertFit, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD("source", source, SCEN_TEXT, .help = "measurements"),
    FIELD("algorithm", algorithm, SCEN_TEXT, .required = true,
          .help = "expert-two-level or expert-direct"),
    FIELD("sorts", sorts, SCEN_BOOL, .fallback = "false",
          .help = "rows arrive in the order of the experts, copied and padded"),
    FIELD("dispatch", dispatch, SCEN_MAP, .required = true, .table = &term_table,
          .help = "tokens to their experts"),
    FIELD("combine", combine, SCEN_MAP, .required = true, .table = &term_table, .help = "and back"),
};

const ScenTable scen_expert_table = {
    .what = "expert kernels",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(TopoExpertFit),
    .catalog = SCEN_CATALOG_EXPERT_KERNELS,
};
