/* The table of a serving engine's all-reduces: what its kernels reach, as `orrery fit --engine`
 * prints it, and which tensors each takes. */
#include "scen_fields.h"
#include "topo_protocol_engine.h"

#define TERM(key, member, of_kind, ...)                                                            \
    SCEN_FIELD(key, TopoEngineTerm, member, of_kind, .required = true, __VA_ARGS__)

static const ScenField term_fields[] = {
    TERM("base_latency", base_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "launch of one all-reduce, in s"),
    TERM("peer_latency", peer_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "each other rank, in s"),
    TERM("fraction", fraction, SCEN_NUMBER, .min = 1e-3, .max = 1.5,
         .help = "payload over the wire's link rate"),
    TERM("host_latency", host_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "least time of a call that no graph captured, in s"),
};

static const ScenTable term_table = {
    .what = "kernel",
    .fields = term_fields,
    .count = G_N_ELEMENTS(term_fields),
    .size = sizeof(TopoEngineTerm),
};

#define LIMIT(key, member, ...)                                                                    \
    SCEN_FIELD(key, TopoEngineLimits, member, SCEN_QUANTITY, .dimension = SCEN_DATA_BYTES,         \
               .zero = true, __VA_ARGS__)

static const ScenField limits_fields[] = {
    LIMIT("one_shot_below", one_shot_below_bytes, .help = "tensors for one shot, in bytes"),
    LIMIT("two_shot_below", two_shot_below_bytes, .help = "larger ones for two shots, in bytes"),
    LIMIT("staged_to", staged_to_bytes, .help = "still larger ones for the buffer, in bytes"),
    SCEN_FIELD("staged_in_switch", TopoEngineLimits, staged_in_switch, SCEN_BOOL,
               .fallback = "false", .help = "in the buffer the switch reduces"),
};

static const ScenTable limits_table = {
    .what = "limits",
    .fields = limits_fields,
    .count = G_N_ELEMENTS(limits_fields),
    .size = sizeof(TopoEngineLimits),
};

#define ENGINE(key, member, of_kind, ...)                                                          \
    SCEN_FIELD(key, TopoEngineFit, member, of_kind, __VA_ARGS__)
#define KERNEL(key, index, ...)                                                                    \
    ENGINE(key, kernel[index], SCEN_MAP, .table = &term_table, __VA_ARGS__)
#define LIMITS(key, index, ...)                                                                    \
    ENGINE(key, limits[index], SCEN_MAP, .table = &limits_table, __VA_ARGS__)
#define ERROR(key, member, ...) ENGINE(key, member, SCEN_NUMBER, .max = 10.0, __VA_ARGS__)

static const ScenField engine_fields[] = {
    ENGINE("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    ENGINE("source", source, SCEN_TEXT, .help = "measurements, and where the limits come from"),
    ENGINE("rows", rows, SCEN_INT, .min = 1, .max = 1e9, .help = "measurements fitted"),
    ERROR("median_error", median_error_fraction, .help = "of the fit, as a fraction"),
    ENGINE("large_rows", large_rows, SCEN_INT, .min = 1, .max = 1e9,
           .help = "of these, from 64 kB to 1 GB"),
    ERROR("large_median_error", large_median_error_fraction, .help = "on those, as a fraction"),
    ERROR("large_p90_error", large_p90_error_fraction, .help = "on those, as a fraction"),
    KERNEL("one_shot", TOPO_ENGINE_ONE_SHOT, .help = "each rank reads all tensors"),
    KERNEL("two_shot", TOPO_ENGINE_TWO_SHOT, .help = "parts are reduced, then gathered"),
    KERNEL("staged", TOPO_ENGINE_STAGED, .help = "two shots in a shared buffer"),
    KERNEL("staged_switch", TOPO_ENGINE_STAGED_SWITCH,
           .help = "the switch reduces a shared buffer"),
    ENGINE("eager_copy_fraction", eager_copy_fraction, SCEN_NUMBER, .max = 10.0, .fallback = "0",
           .help = "copy of a tensor outside a graph, of its time on the wire"),
    LIMITS("at_2", 0, .help = "who reduces for 2 ranks"),
    LIMITS("at_4", 1, .help = "for 4 ranks"),
    LIMITS("at_6", 2, .help = "for 6 ranks"),
    LIMITS("at_8", 3, .help = "for 8 ranks"),
};

const ScenTable scen_engine_table = {
    .what = "engine",
    .fields = engine_fields,
    .count = G_N_ELEMENTS(engine_fields),
    .size = sizeof(TopoEngineFit),
    .catalog = SCEN_CATALOG_ENGINE_KERNELS,
};
