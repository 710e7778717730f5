/* The table of relative standard errors: how wrong each kind of cost may be in a real step. */
#include "scen_fields.h"
#include "strat_interval.h"

#define ERROR(key, kind_, ...)                                                                     \
    SCEN_FIELD(key, StratErrors, kind[kind_], SCEN_NUMBER, .required = true, .max = 1.0,           \
               __VA_ARGS__)
#define WIDEN(key, evidence, ...)                                                                  \
    SCEN_FIELD(key, StratErrors, widen[evidence], SCEN_NUMBER, .required = true, .max = 20.0,      \
               __VA_ARGS__)

static const ScenField widen_fields[] = {
    WIDEN("measured", KERN_EVIDENCE_MEASURED, .help = "times the error, for measured costs"),
    WIDEN("interpolated", KERN_EVIDENCE_INTERPOLATED, .help = "between measured shapes"),
    WIDEN("fitted", KERN_EVIDENCE_FITTED, .help = "by a form fitted on this device"),
    WIDEN("extrapolated", KERN_EVIDENCE_EXTRAPOLATED, .help = "outside what it was fitted on"),
    WIDEN("datasheet", KERN_EVIDENCE_DATASHEET, .help = "by another device's form"),
};

static const ScenTable widen_table = {
    .what = "widen",
    .fields = widen_fields,
    .count = G_N_ELEMENTS(widen_fields),
    .size = sizeof(StratErrors),
};

static const ScenField fields[] = {
    SCEN_FIELD("name", StratErrors, name, SCEN_TEXT, .fallback = "inline",
               .help = "name in reports"),
    SCEN_FIELD("source", StratErrors, source, SCEN_TEXT, .help = "which rows it was fitted on"),
    ERROR("matrix_products", STRAT_KIND_PRODUCTS, .help = "as a fraction, of fitted costs"),
    ERROR("fused_attention", STRAT_KIND_ATTENTION, .help = "as a fraction, of fitted costs"),
    ERROR("memory_passes", STRAT_KIND_PASSES, .help = "norms, activations, softmax, optimizer"),
    ERROR("scale_up_communication", STRAT_KIND_SCALE_UP, .help = "what is exposed of it"),
    ERROR("scale_out_communication", STRAT_KIND_SCALE_OUT, .help = "what is exposed of it"),
    ERROR("host", STRAT_KIND_HOST, .help = "host stalls and launch gaps"),
    ERROR("schedule", STRAT_KIND_SCHEDULE, .help = "of the pipeline bubble, beyond its stages"),
    ERROR("software", STRAT_KIND_SOFTWARE, .help = "of plans without a model_error"),
    ERROR("guess", STRAT_KIND_GUESSES, .help = "of the step, for each guessed fact of the plan"),
    SCEN_GROUP("widen", &widen_table, .required = true, .help = "factors by evidence"),
};

const ScenTable scen_errors_table = {
    .what = "uncertainty",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratErrors),
    .catalog = SCEN_CATALOG_ERRORS,
};
