/* The table of fault populations, and that of durations with a tail.
 *
 *   classes:
 *     - {name: hbm, unit: gpu, effect: stop, events: 72, swap_fraction: 0.08}
 *
 * A rate is a count over what was observed (`events`, with `observed` beside the classes: the
 * counts of a report, as they stand there), faults of one unit in a million hours or of all in a
 * day, or a calendar (`every`). */
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

const ScenForm scen_spread_forms[] = {
    {.value = {.kind = SCEN_QUANTITY,
               .dimension = SCEN_TIME_S,
               .zero = true,
               .help = "always the same"}},
    {.value = {.kind = SCEN_MAP, .table = &scen_spread_table, .help = "a distribution"}},
    {.value = {.help = NULL}},
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
    {"gpu",    STRAT_FAULT_GPU   },
    {"node",   STRAT_FAULT_NODE  },
    {"leaf",   STRAT_FAULT_LEAF  },
    {"rack",   STRAT_FAULT_RACK  },
    {"domain", STRAT_FAULT_DOMAIN},
    {"job",    STRAT_FAULT_JOB   },
    {NULL,     0                 },
};

static const ScenName effects[] = {
    {"stop",    STRAT_FAULT_STOP   },
    {"hang",    STRAT_FAULT_HANG   },
    {"slow",    STRAT_FAULT_SLOW   },
    {"flap",    STRAT_FAULT_FLAP   },
    {"planned", STRAT_FAULT_PLANNED},
    {"degrade", STRAT_FAULT_DEGRADE},
    {"link",    STRAT_FAULT_LINK   },
    {"cap",     STRAT_FAULT_CAP    },
    {"sdc",     STRAT_FAULT_SDC    },
    {"preempt", STRAT_FAULT_PREEMPT},
    {"alarm",   STRAT_FAULT_ALARM  },
    {NULL,      0                  },
};

/* Keys that only some effects have: these need them, and of `may` it is optional. */
#define EFFECT(name) (1u << STRAT_FAULT_##name)

static const struct {
    const char *key;
    unsigned need, may;
} effect_keys[] = {
    {"lasts",
     EFFECT(SLOW) | EFFECT(FLAP) | EFFECT(DEGRADE) | EFFECT(LINK) | EFFECT(CAP) | EFFECT(PREEMPT),
     EFFECT(PLANNED)                                                                                              },
    {"clock",       EFFECT(CAP),                                                                   EFFECT(SLOW)   },
    {"nic_lost",    EFFECT(DEGRADE),                                                               EFFECT(SLOW)   },
    {"found_after", EFFECT(SDC),                                                                   0              },
    {"warning",     0,                                                                             EFFECT(PREEMPT)},
};

static void check_effect(ScenBinder *binder, const ScenNode *map, const StratFaultClass *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(effect_keys); i++) {
        const char *key = effect_keys[i].key;
        bool is_there = scen_node_get(map, key), is_needed = effect_keys[i].need >> c->effect & 1u;
        bool is_known = is_needed || (effect_keys[i].may >> c->effect & 1u);
        if (is_there ? is_known : !is_needed)
            continue;
        scen_bind_fail(binder, map, key, is_needed ? "effect %s needs %s" : "effect %s has no %s",
                       effects[c->effect].text, key);
    }
}

static void finish_class(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenFaultClass *c = out;
    static const char *const rates[] = {"events", "per_million_hours", "per_day", "every"};
    size_t given = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++)
        given += scen_node_get(map, rates[i]) != NULL;
    if (given > 1 || (given == 0 && !scen_node_get(map, "dead_on_arrival")))
        scen_bind_fail(binder, map, "events",
                       "a class of faults has one of events, per_million_hours, per_day and every");
    check_effect(binder, map, &c->row);
    if (c->row.effect == STRAT_FAULT_SLOW && !scen_node_get(map, "clock") &&
        !scen_node_get(map, "nic_lost"))
        scen_bind_fail(binder, map, "clock",
                       "effect slow needs clock (what is left of it) or nic_lost (what is lost)");
    if ((c->row.unit == STRAT_FAULT_DOMAIN) != (c->row.domain_nodes > 0))
        scen_bind_fail(binder, map, "domain_nodes",
                       "domain_nodes is of unit domain, which needs it");
    if (c->row.burst_fraction > 0.0 && c->row.burst_gap_s == 0.0)
        scen_bind_fail(binder, map, "burst_fraction", "burst_fraction needs burst_gap");
}

/* Rates of equal parts of a rack. */
static bool bind_heights(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                         void *slot)
{
    (void)binder;
    (void)field;
    StratFaultClass *c = slot;
    double top = 0.0;
    if (node->kind != SCEN_NODE_LIST || node->items->len > STRAT_FAULT_HEIGHTS)
        return false;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        char *end = NULL;
        if (item->kind != SCEN_NODE_TEXT || item->quoted)
            return false;
        c->height[i] = g_ascii_strtod(item->text, &end);
        if (end == item->text || *end || !(c->height[i] >= 0.0 && c->height[i] <= 1e9))
            return false;
        top = MAX(top, c->height[i]);
    }
    c->heights = (int64_t)node->items->len;
    return top > 0.0;
}

static const ScenForm height_forms[] = {
    {.value = {.kind = SCEN_NUMBER, .max = 1e9, .help = "a rate"},
     .least = 1,
     .most = STRAT_FAULT_HEIGHTS},
    {.value = {.help = NULL}                                 },
};

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
    CLASS("per_day", per_day, SCEN_NUMBER, .max = 1e9, .help = "faults of all units in a day"),
    TIME("every", ScenFaultClass, row.every_s, .help = "one each so long, by the calendar, in s"),
    CLASS("dead_on_arrival", row.dead_fraction, SCEN_NUMBER, .max = 1,
          .help = "share of the units that fails early, with early_time (default: 0)"),
    CLASS("domain_nodes", row.domain_nodes, SCEN_INT, .min = 1, .max = 1e6,
          .help = "nodes of a domain: of a tray, a power domain"),
    CLASS("heights", row, SCEN_CUSTOM, .bind = bind_heights,
          .expected = "a list of up to 8 rates, one above 0", .forms = height_forms,
          .help = "rates of equal parts of a rack, bottom first, over each other"),
    CLASS("shape", row.shape, SCEN_NUMBER, .min = 0.1, .max = 10, .fallback = "1",
          .help = "Weibull shape of the gaps (default: 1, exponential)"),
    CLASS("burst_fraction", row.burst_fraction, SCEN_NUMBER, .max = 0.99,
          .help = "share that follows another on the same node (default: 0)"),
    TIME("burst_gap", ScenFaultClass, row.burst_gap_s, .help = "mean gap of these, in s"),
    CLASS("swap_fraction", row.swap_fraction, SCEN_NUMBER, .max = 1, .fallback = "1",
          .help = "share whose nodes are replaced, not just restarted (default: 1)"),
    CLASS("lasts", row.lasts, SCEN_CUSTOM, .bind = scen_spread_bind,
          .expected = SCEN_SPREAD_EXPECTED, .forms = scen_spread_forms,
          .help = "duration of the effect"),
    CLASS("clock", row.clock_fraction, SCEN_NUMBER, .min = 0.01, .max = 1, .fallback = "1",
          .help = "of slow and cap: what is left of it"),
    CLASS("nic_lost", row.nic_lost_fraction, SCEN_NUMBER, .max = 1,
          .help = "of slow and degrade: what a NIC loses of its bandwidth, 1: it is dead"),
    CLASS("found_after", row.found_after, SCEN_CUSTOM, .bind = scen_spread_bind,
          .expected = SCEN_SPREAD_EXPECTED, .forms = scen_spread_forms,
          .help = "of sdc: until somebody knows"),
    TIME("warning", ScenFaultClass, row.warning_s, .zero = true,
         .help = "of preempt: before it, in s (default: 0)"),
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
    return c->events / ((double)strat_fault_units(&site, &c->row) * faults->observed_s);
}

void scen_faults_clear(ScenFaults *faults)
{
    g_clear_pointer(&faults->written, g_array_unref);
    g_clear_pointer(&faults->classes, g_array_unref);
    g_clear_pointer(&faults->records, g_array_unref);
    g_clear_pointer(&faults->bad_times, g_array_unref);
    g_clear_pointer(&faults->incidents, g_array_unref);
    g_clear_pointer(&faults->cycles, g_array_unref);
}

StratFaultModel scen_faults_model(const ScenFaults *faults, StratFaultSite site, uint64_t seed)
{
    return (StratFaultModel){
        .classes = (const StratFaultClass *)(void *)faults->classes->data,
        .count = faults->classes->len,
        .records = faults->records ? (const StratFaultRecord *)(void *)faults->records->data : NULL,
        .record_count = faults->records ? faults->records->len : 0,
        .site = site,
        .seed = seed,
        .scale = faults->scale,
        .early_factor = faults->early_factor,
        .early_s = faults->early_s,
        .incidents =
            faults->incidents ? (const StratFaultIncident *)(void *)faults->incidents->data : NULL,
        .incident_count = faults->incidents ? faults->incidents->len : 0,
        .cycles = faults->cycles ? (const StratFaultCycle *)(void *)faults->cycles->data : NULL,
        .cycle_count = faults->cycles ? faults->cycles->len : 0,
        .node_shape = faults->node_shape,
        .lemon_fraction = faults->lemon_fraction,
        .lemon_factor = faults->lemon_factor,
    };
}

static bool has_class(const GArray *classes, const char *name)
{
    for (guint i = 0; i < classes->len; i++)
        if (!g_strcmp0(g_array_index(classes, StratFaultClass, i).name, name))
            return true;
    return false;
}

/* An incident of several classes is one of each. */
static void add_incidents(ScenBinder *binder, const ScenNode *map, ScenFaults *faults)
{
    faults->incidents = g_array_new(FALSE, FALSE, sizeof(StratFaultIncident));
    for (guint i = 0; i < faults->bad_times->len; i++) {
        const ScenIncident *written = &g_array_index(faults->bad_times, ScenIncident, i);
        StratFaultIncident row = written->row;
        if (row.to_s <= row.from_s)
            scen_bind_fail(binder, map, "incidents", "an incident ends before it begins");
        if (written->class_count == 0)
            g_array_append_val(faults->incidents, row);
        for (size_t c = 0; c < written->class_count; c++) {
            row.class_name = written->classes[c];
            g_array_append_val(faults->incidents, row);
            if (!has_class(faults->classes, row.class_name))
                scen_bind_fail(binder, map, "incidents", "no class of faults is called '%s'",
                               row.class_name);
        }
    }
}

static void check_cycles(ScenBinder *binder, const ScenNode *map, const GArray *cycles)
{
    double sum = 0.0;
    for (guint i = 0; i < cycles->len; i++)
        sum += g_array_index(cycles, StratFaultCycle, i).amplitude;
    if (sum > 1.0)
        scen_bind_fail(binder, map, "cycles", "amplitudes of cycles sum to %g, above 1", sum);
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenFaults *faults = out;
    faults->classes = g_array_new(FALSE, FALSE, sizeof(StratFaultClass));
    for (guint i = 0; faults->written && i < faults->written->len; i++) {
        ScenFaultClass *c = &g_array_index(faults->written, ScenFaultClass, i);
        bool is_domain = c->row.unit == STRAT_FAULT_LEAF || c->row.unit == STRAT_FAULT_RACK;
        c->row.per_job_s = c->per_day / 86400.0;
        if (c->events > 0.0 &&
            (faults->observed_gpus == 0 || faults->observed_s == 0.0 || is_domain))
            scen_bind_fail(binder, map, "classes",
                           "events of %s need observed (gpus, duration), and are of GPUs, nodes or "
                           "the job",
                           c->row.name ? c->row.name : "a class");
        else
            c->row.per_unit_s = rate_of(faults, c);
        if (c->row.dead_fraction > 0.0 && faults->early_s <= 0.0)
            scen_bind_fail(binder, map, "classes", "dead_on_arrival needs early_time");
        if (c->row.name && has_class(faults->classes, c->row.name))
            scen_bind_fail(binder, map, "classes", "two classes are called %s", c->row.name);
        g_array_append_val(faults->classes, c->row);
    }
    if (faults->bad_times)
        add_incidents(binder, map, faults);
    if (faults->cycles)
        check_cycles(binder, map, faults->cycles);
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

/* Names of classes. */
static bool bind_classes(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                         void *slot)
{
    (void)field;
    ScenIncident *incident = slot;
    if (node->kind != SCEN_NODE_LIST || node->items->len > G_N_ELEMENTS(incident->classes))
        return false;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        if (item->kind != SCEN_NODE_TEXT)
            return false;
        incident->classes[incident->class_count++] =
            g_string_chunk_insert(binder->strings, item->text);
    }
    return true;
}

static const ScenForm class_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "a class"},
     .most = G_N_ELEMENTS(((ScenIncident *)NULL)->classes)},
    {.value = {.help = NULL}                                              },
};

static const ScenField incident_fields[] = {
    TIME("from", ScenIncident, row.from_s, .required = true, .zero = true, .help = "in s"),
    TIME("to", ScenIncident, row.to_s, .required = true, .help = "in s"),
    SCEN_FIELD("factor", ScenIncident, row.factor, SCEN_NUMBER, .min = 1, .max = 1e6,
               .required = true, .help = "of the rates meanwhile"),
    {.key = "classes",
                                                        .kind = SCEN_CUSTOM,
                                                        .bind = bind_classes,
                                                        .expected = "a list of up to 8 names",
                                                        .forms = class_forms,
                                                        .help = "that it is about (default: all)"},
};

static const ScenTable incident_table = {
    .what = "incident",
    .fields = incident_fields,
    .count = G_N_ELEMENTS(incident_fields),
    .size = sizeof(ScenIncident),
};

static const ScenField cycle_fields[] = {
    TIME("period", StratFaultCycle, period_s, .required = true, .help = "in s"),
    TIME("peak", StratFaultCycle, peak_s, .zero = true,
         .help = "when rates are highest, from the start, in s (default: 0)"),
    SCEN_FIELD("amplitude", StratFaultCycle, amplitude, SCEN_NUMBER, .max = 1, .required = true,
               .help = "over the mean rate"),
};

static const ScenTable cycle_table = {
    .what = "cycle",
    .fields = cycle_fields,
    .count = G_N_ELEMENTS(cycle_fields),
    .size = sizeof(StratFaultCycle),
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
    FIELD("incidents", bad_times, SCEN_ROWS, .table = &incident_table,
          .help = "bad times: a driver's bug, a burst of link flaps"),
    FIELD("cycles", cycles, SCEN_ROWS, .table = &cycle_table,
          .help = "swings of the rates: days, seasons"),
    FIELD("node_shape", node_shape, SCEN_NUMBER, .max = 1000,
          .help = "shape of the Gamma distribution of nodes' rates (default: all alike)"),
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
