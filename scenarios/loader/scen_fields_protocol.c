/* The table of a wire's protocols: what a collective library reaches on it, as `orrery fit` prints
 * it. */
#include "scen_fields.h"
#include "topo_protocol.h"

#define TERM(key, member, of_kind, ...)                                                            \
    SCEN_FIELD(key, TopoProtocolTerm, member, of_kind, .required = true, __VA_ARGS__)

static const ScenField term_fields[] = {
    TERM("base_latency", base_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "launch and protocol of one collective, in s"),
    TERM("hop_latency", hop_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "each of its steps, in s"),
    TERM("fraction", fraction, SCEN_NUMBER, .min = 1e-3, .max = 1.5,
         .help = "payload over the wire's link rate"),
};

static const ScenTable term_table = {
    .what = "protocol",
    .fields = term_fields,
    .count = G_N_ELEMENTS(term_fields),
    .size = sizeof(TopoProtocolTerm),
};

#define FIT(key, member, of_kind, ...)                                                             \
    SCEN_FIELD(key, TopoProtocolFit, member, of_kind, __VA_ARGS__)
#define ERROR(key, member, ...) FIT(key, member, SCEN_NUMBER, .max = 10.0, __VA_ARGS__)

static const ScenField fit_fields[] = {
    FIT("rows", rows, SCEN_INT, .min = 1, .max = 1e9, .help = "measurements fitted"),
    ERROR("median_error", median_error_fraction, .help = "of the fit, as a fraction"),
    FIT("large_rows", large_rows, SCEN_INT, .min = 1, .max = 1e9,
        .help = "of these, from 64 kB to 1 GB"),
    ERROR("large_median_error", large_median_error_fraction, .help = "on those, as a fraction"),
    ERROR("large_p90_error", large_p90_error_fraction, .help = "on those, as a fraction"),
    FIT("ll", protocol[TOPO_PROTOCOL_LL], SCEN_MAP, .table = &term_table,
        .help = "LL: a flag beside every 4 bytes"),
    FIT("ll128", protocol[TOPO_PROTOCOL_LL128], SCEN_MAP, .table = &term_table,
        .help = "LL128: a flag in every 128 bytes"),
    FIT("simple", protocol[TOPO_PROTOCOL_SIMPLE], SCEN_MAP, .required = true, .table = &term_table,
        .help = "Simple: chunks between fences"),
    FIT("in_switch", in_switch, SCEN_MAP, .table = &term_table,
        .help = "Simple, through a switch that reduces"),
    FIT("copy_fraction", copy_fraction, SCEN_NUMBER, .max = 10.0, .fallback = "0",
        .help = "copy of the tensor inside the GPU, of its time on the wire"),
    FIT("bulk_bias", bulk_bias, SCEN_NUMBER, .min = 0.01, .max = 10.0, .fallback = "1",
        .help = "below 1: Simple is chosen before it is the fastest"),
};

static const ScenTable fit_table = {
    .what = "collective",
    .fields = fit_fields,
    .count = G_N_ELEMENTS(fit_fields),
    .size = sizeof(TopoProtocolFit),
};

#define PROTOCOL(key, member, of_kind, ...)                                                        \
    SCEN_FIELD(key, TopoProtocolFits, member, of_kind, __VA_ARGS__)
#define OPERATION(key, index, ...)                                                                 \
    PROTOCOL(key, op[index], SCEN_MAP, .required = true, .table = &fit_table, __VA_ARGS__)

static const ScenField protocol_fields[] = {
    PROTOCOL("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    PROTOCOL("source", source, SCEN_TEXT, .help = "which measurements it was fitted on"),
    PROTOCOL("channels", channels, SCEN_INT, .min = 1, .max = 1024, .fallback = "16",
             .help = "parallel rings at most"),
    PROTOCOL("in_node", in_node, SCEN_BOOL, .fallback = "false",
             .help = "joins domains of one node, where the library runs no trees"),
    OPERATION("all_reduce", TOPO_PROTOCOL_ALL_REDUCE, .help = "all-reduces"),
    OPERATION("all_gather", TOPO_PROTOCOL_ALL_GATHER, .help = "all-gathers and broadcasts"),
    OPERATION("reduce_scatter", TOPO_PROTOCOL_REDUCE_SCATTER, .help = "reduce-scatters"),
    OPERATION("all_to_all", TOPO_PROTOCOL_ALL_TO_ALL, .help = "all-to-alls and sends"),
};

const ScenTable scen_protocol_table = {
    .what = "protocols",
    .fields = protocol_fields,
    .count = G_N_ELEMENTS(protocol_fields),
    .size = sizeof(TopoProtocolFits),
    .catalog = SCEN_CATALOG_PROTOCOL,
};
