/* The table of fault populations, and that of durations with a tail.
 *
 *   classes:
 *     - {name: hbm, unit: gpu, effect: stop, events: 72, swap_fraction: 0.08}
 *
 * A rate is a count over what was observed (`events`, with `observed` beside the classes: the
 * counts of a report, as they stand there), or faults of one unit in a million hours. */
#include "scen_campaign.h"
#include "scen_fault_trace.h"
#include "scen_fields.h"

#define TIME(key, type, member, ...)                                                               \
    SCEN_FIELD(key, type, member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)

static const ScenName distributions[] = {
    {"fixed",       STRAT_SPREAD_FIXED      },
    {"exponential", STRAT_SPREAD_EXPONENTIAL},
    {"lognormal",   STRAT_SPREAD_LOGNORMAL  },
    {NULL,          0                       },
};

static const ScenField spread_fields[] = {
    SCEN_FIELD("distribution", StratSpread, kind, SCEN_ENUM, .names = distributions,
               .required = true, .help = "family of the distribution"),
    TIME("mean", StratSpread, mean_s, .required = true, .zero = true, .help = "mean, in s"),
    SCEN_FIELD("cv", StratSpread, cv, SCEN_NUMBER, .max = 100, .fallback = "1",
               .help = "standard deviation over mean, of lognormal (default: 1)"),
    SCEN_FIELD("slow_fraction", StratSpread, slow_fraction, SCEN_NUMBER, .max = 1,
               .help = "share that needs a person (default: 0)"),
    TIME("slow_mean", StratSpread, slow_mean_s, .help = "mean of these, exponential, in s"),
};

const ScenTable scen_spread_table = {
    .what = "duration",
    .fields = spread_fields,
    .count = G_N_ELEMENTS(spread_fields),
    .size = sizeof(StratSpread),
};

bool scen_spread_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    if (node->kind == SCEN_NODE_MAP) {
        scen_bind(binder, &scen_spread_table, node, slot);
        return true; /* what it refuses has paths of its own */
    }
    *(StratSpread *)slot = (StratSpread){.kind = STRAT_SPREAD_FIXED};
    return node->kind == SCEN_NODE_TEXT &&
           scen_quantity_parse(node->text, SCEN_TIME_S, &((StratSpread *)slot)->mean_s, NULL);
}

static const ScenName units[] = {
    {"gpu",  STRAT_FAULT_GPU },
    {"node", STRAT_FAULT_NODE},
    {"leaf", STRAT_FAULT_LEAF},
    {"rack", STRAT_FAULT_RACK},
    {"job",  STRAT_FAULT_JOB },
    {NULL,   0               },
};

static const ScenName effects[] = {
    {"stop",    STRAT_FAULT_STOP   },
    {"hang",    STRAT_FAULT_HANG   },
    {"slow",    STRAT_FAULT_SLOW   },
    {"flap",    STRAT_FAULT_FLAP   },
    {"planned", STRAT_FAULT_PLANNED},
    {NULL,      0                  },
};

static void finish_class(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenFaultClass *c = out;
    bool counted = scen_node_get(map, "events"), rated = scen_node_get(map, "per_million_hours");
    if (counted == rated)
        scen_bind_fail(binder, map, "events",
                       "a class of faults has events or per_million_hours, one of them");
    bool lasts = c->row.effect == STRAT_FAULT_SLOW || c->row.effect == STRAT_FAULT_FLAP;
    if (lasts != (scen_node_get(map, "lasts") != NULL))
        scen_bind_fail(binder, map, "lasts", "lasts is of slow and flap, which need it");
    if (c->row.effect == STRAT_FAULT_SLOW && !scen_node_get(map, "clock") &&
        !scen_node_get(map, "nic_lost"))
        scen_bind_fail(binder, map, "clock",
                       "effect slow needs clock (what is left of it) or nic_lost (what is lost)");
    if (c->row.burst_fraction > 0.0 && c->row.burst_gap_s == 0.0)
        scen_bind_fail(binder, map, "burst_fraction", "burst_fraction needs burst_gap");
}

#define CLASS(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, ScenFaultClass, member, of_kind, __VA_ARGS__)

static const ScenField class_fields[] = {
    CLASS("name", row.name, SCEN_TEXT, .required = true,
          .help = "in reports; its random numbers go by it"),
    CLASS("component", row.component, SCEN_TEXT, .help = "what it is part of"),
    CLASS("unit", row.unit, SCEN_ENUM, .names = units, .required = true,
          .help = "what there is one process of, and what it takes away"),
    CLASS("effect", row.effect, SCEN_ENUM, .names = effects, .required = true,
          .help = "on the job"),
    CLASS("events", events, SCEN_NUMBER, .max = 1e9, .help = "counted in what was observed"),
    CLASS("per_million_hours", per_million_hours, SCEN_NUMBER, .max = 1e9,
          .help = "faults of one unit in a million hours"),
    CLASS("shape", row.shape, SCEN_NUMBER, .min = 0.1, .max = 10, .fallback = "1",
          .help = "Weibull shape of the gaps (default: 1, exponential)"),
    CLASS("burst_fraction", row.burst_fraction, SCEN_NUMBER, .max = 0.99,
          .help = "share that follows another on the same node (default: 0)"),
    TIME("burst_gap", ScenFaultClass, row.burst_gap_s, .help = "mean gap of these, in s"),
    CLASS("swap_fraction", row.swap_fraction, SCEN_NUMBER, .max = 1, .fallback = "1",
          .help = "share whose nodes are replaced, not just restarted (default: 1)"),
    CLASS("lasts", row.lasts, SCEN_CUSTOM, .bind = scen_spread_bind,
          .expected = SCEN_SPREAD_EXPECTED, .help = "duration of slow and flap"),
    CLASS("clock", row.clock_fraction, SCEN_NUMBER, .min = 0.01, .max = 1, .fallback = "1",
          .help = "of slow: what is left of the GPU's clock"),
    CLASS("nic_lost", row.nic_lost_fraction, SCEN_NUMBER, .max = 1,
          .help = "of slow: what is lost of the bandwidth of a NIC, 1: it is dead (default: 0)"),
};

static const ScenTable class_table = {
    .what = "class of faults",
    .fields = class_fields,
    .count = G_N_ELEMENTS(class_fields),
    .size = sizeof(ScenFaultClass),
    .finish = finish_class,
};

/* Faults of one unit a second. */
static double rate_of(const ScenFaults *faults, const ScenFaultClass *c)
{
    if (c->events == 0.0)
        return c->per_million_hours / (1e6 * 3600.0);
    StratFaultSite site = {faults->observed_gpus, faults->observed_gpus_per_node, 1, 1};
    return c->events / ((double)strat_fault_units(&site, c->row.unit) * faults->observed_s);
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenFaults *faults = out;
    faults->classes = g_array_new(FALSE, FALSE, sizeof(StratFaultClass));
    for (guint i = 0; faults->written && i < faults->written->len; i++) {
        ScenFaultClass *c = &g_array_index(faults->written, ScenFaultClass, i);
        bool is_domain = c->row.unit == STRAT_FAULT_LEAF || c->row.unit == STRAT_FAULT_RACK;
        if (c->events > 0.0 &&
            (faults->observed_gpus == 0 || faults->observed_s == 0.0 || is_domain))
            scen_bind_fail(binder, map, "classes",
                           "events of %s need observed (gpus, duration), and are of GPUs, nodes or "
                           "the job",
                           c->row.name ? c->row.name : "a class");
        else
            c->row.per_unit_s = rate_of(faults, c);
        for (guint j = 0; j < i; j++)
            if (c->row.name &&
                !g_strcmp0(c->row.name, g_array_index(faults->classes, StratFaultClass, j).name))
                scen_bind_fail(binder, map, "classes", "two classes are called %s", c->row.name);
        g_array_append_val(faults->classes, c->row);
    }
    scen_bind_path(binder, &faults->trace);
    g_autoptr(GError) error = NULL;
    if (faults->trace)
        faults->records = scen_fault_trace_read(faults->trace, faults->classes, &error);
    if (error)
        scen_bind_fail(binder, map, "trace", "%s", error->message);
}

static const ScenField observed_fields[] = {
    SCEN_FIELD("gpus", ScenFaults, observed_gpus, SCEN_INT, .min = 1, .max = 1e8, .required = true,
               .help = "GPUs that were observed"),
    SCEN_FIELD("gpus_per_node", ScenFaults, observed_gpus_per_node, SCEN_INT, .min = 1, .max = 1024,
               .fallback = "8", .help = "of their nodes (default: 8)"),
    TIME("duration", ScenFaults, observed_s, .required = true, .help = "for how long, in s"),
};

static const ScenTable observed_table = {
    .what = "observed",
    .fields = observed_fields,
    .count = G_N_ELEMENTS(observed_fields),
    .size = sizeof(ScenFaults),
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenFaults, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD("source", source, SCEN_TEXT, .help = "who counted them, and where"),
    SCEN_GROUP("observed", &observed_table, .help = "on what the events were counted"),
    FIELD("classes", written, SCEN_ROWS, .table = &class_table, .required = true,
          .help = "what fails, how often, and what that does"),
    FIELD("trace", trace, SCEN_TEXT,
          .help = "CSV of recorded faults (at_s, class, node), besides those that are drawn"),
    FIELD("scale", scale, SCEN_NUMBER, .min = 0, .max = 1000, .fallback = "1",
          .help = "factor of all rates: quality of the fleet (default: 1)"),
    FIELD("early_factor", early_factor, SCEN_NUMBER, .min = 1, .max = 1000, .fallback = "1",
          .help = "rates start at this factor (default: 1)"),
    TIME("early_time", ScenFaults, early_s, .help = "with which that decays, in s"),
    FIELD("lemon_fraction", lemon_fraction, SCEN_NUMBER, .max = 0.5,
          .help = "share of the nodes that fail more often (default: 0)"),
    FIELD("lemon_factor", lemon_factor, SCEN_NUMBER, .min = 1, .max = 10000, .fallback = "1",
          .help = "how much more often (default: 1)"),
};

const ScenTable scen_faults_table = {
    .what = "faults",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenFaults),
    .catalog = SCEN_CATALOG_FAULTS,
    .finish = finish,
};
