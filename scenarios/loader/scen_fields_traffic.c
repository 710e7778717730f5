/* The table of traffic.
 *
 *   traffic: {arrivals: poisson, rate: 10 /s, requests: 2000, input: 512, output: 128}
 *   traffic: {trace: mooncake.jsonl, rate_scale: 2}
 *
 * Which keys go with which arrivals stands in one table of rules; a trace takes none of those that
 * make requests up. */
#include "scen_trace_row.h"
#include "scen_traffic.h"
#include "strat_traffic_shares.h"

/* Kinds of the key `arrivals`, beyond those of StratArrivalKind. */
enum {
    SINGLE_STREAM = STRAT_ARRIVALS_CLOSED_LOOP + 1,
    FROM_TRACE,
};

enum { MOST_SAMPLES = 1000 };

#define BIT(kind) (1U << STRAT_ARRIVALS_##kind)
#define RENEWAL (BIT(GAMMA) | BIT(WEIBULL))
#define OPEN (BIT(CONSTANT) | BIT(POISSON) | RENEWAL | BIT(ON_OFF) | BIT(DIURNAL))
#define GENERATED (OPEN | BIT(ALL_AT_ONCE) | BIT(CLOSED_LOOP) | 1U << SINGLE_STREAM)
#define TRACE (1U << FROM_TRACE)

static const ScenName kinds[] = {
    {"all-at-once",   STRAT_ARRIVALS_ALL_AT_ONCE},
    {"constant",      STRAT_ARRIVALS_CONSTANT   },
    {"poisson",       STRAT_ARRIVALS_POISSON    },
    {"gamma",         STRAT_ARRIVALS_GAMMA      },
    {"weibull",       STRAT_ARRIVALS_WEIBULL    },
    {"on-off",        STRAT_ARRIVALS_ON_OFF     },
    {"diurnal",       STRAT_ARRIVALS_DIURNAL    },
    {"closed-loop",   STRAT_ARRIVALS_CLOSED_LOOP},
    {"single-stream", SINGLE_STREAM             },
    {NULL,            0                         },
};

static const ScenName thinks[] = {
    {"constant",    false},
    {"exponential", true },
    {NULL,          0    },
};

static const ScenKeyRule rules[] = {
    {"rate",          OPEN,                          OPEN            },
    {"cv",            RENEWAL,                       RENEWAL         },
    {"on",            BIT(ON_OFF),                   BIT(ON_OFF)     },
    {"off",           BIT(ON_OFF),                   BIT(ON_OFF)     },
    {"on_factor",     BIT(ON_OFF),                   0               },
    {"hourly",        BIT(DIURNAL),                  0               },
    {"amplitude",     BIT(DIURNAL),                  0               },
    {"peak",          BIT(DIURNAL),                  0               },
    {"period",        BIT(DIURNAL),                  0               },
    {"start",         BIT(DIURNAL),                  0               },
    {"concurrency",   BIT(CLOSED_LOOP),              BIT(CLOSED_LOOP)},
    {"think_time",    BIT(CLOSED_LOOP),              0               },
    {"think",         BIT(CLOSED_LOOP),              0               },
    {"rate_scale",    OPEN | TRACE,                  0               },
    {"requests",      GENERATED,                     BIT(ALL_AT_ONCE)},
    {"duration",      GENERATED & ~BIT(ALL_AT_ONCE), 0               },
    {"input",         GENERATED,                     GENERATED       },
    {"output",        GENERATED,                     GENERATED       },
    {"samples",       GENERATED,                     0               },
    {"beam_width",    GENERATED,                     0               },
    {"beam_turnover", GENERATED,                     0               },
    {"sessions",      GENERATED,                     0               },
    {"priorities",    GENERATED,                     0               },
    {"adapters",      GENERATED,                     0               },
    {"format",        TRACE,                         0               },
    {"limit",         TRACE,                         0               },
    {"repeat",        TRACE,                         0               },
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenTraffic, member, of_kind, __VA_ARGS__)
#define TIME(key, member, ...)                                                                     \
    FIELD(key, member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)
#define THINK(member)                                                                              \
    FIELD("think", member, SCEN_CUSTOM, .bind = bind_think, .names = thinks,                       \
          .expected = "constant or exponential",                                                   \
          .help = "how thinking varies (default: constant)")

static bool bind_think(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    if (!scen_node_is_named(node, field->names))
        return false;
    *(bool *)slot = g_str_equal(node->text, "exponential");
    return true;
}

static void finish_sessions(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenTraffic *traffic = out;
    bool has_prompt = scen_node_get(map, "system_prompt");
    if (!has_prompt && scen_node_get(map, "shared_fraction"))
        scen_bind_fail(binder, map, "shared_fraction",
                       "'shared_fraction' is of a 'system_prompt', and there is none");
    traffic->spec.sessions = true;
    traffic->spec.turns = traffic->turns.length;
}

static const ScenField session_fields[] = {
    FIELD("turns", turns, SCEN_CUSTOM, .bind = scen_length_bind, .expected = SCEN_LENGTH_EXPECTED,
          .forms = scen_length_forms, .required = true, .help = "turns of a conversation"),
    TIME("think_time", spec.turn_think.mean_s, .zero = true,
         .help = "from an answer to the next turn, in s (default: 0)"),
    THINK(spec.turn_think.exponential),
    FIELD("system_prompt", spec.system_tokens, SCEN_INT, .max = 1e9,
          .help = "tokens of a prompt that conversations start with (default: 0)"),
    FIELD("shared_fraction", spec.shared_fraction, SCEN_NUMBER, .max = 1, .fallback = "1",
          .help = "share of the conversations that start with it (default: 1)"),
    FIELD("max_context", spec.max_context, SCEN_INT, .min = 1, .max = 1e9,
          .help = "tokens at which a conversation ends (default: no end)"),
    FIELD("page", spec.page_tokens, SCEN_INT, .min = 1, .max = 65536, .fallback = "16",
          .help = "tokens of the pages whose sharing is told (default: 16)"),
};

static const ScenTable session_table = {
    .what = "sessions",
    .fields = session_fields,
    .count = G_N_ELEMENTS(session_fields),
    .size = sizeof(ScenTraffic),
    .finish = finish_sessions,
};

static const ScenField adapter_fields[] = {
    SCEN_FIELD("count", ScenAdapters, count, SCEN_INT, .required = true, .min = 1, .max = 1e6,
               .help = "LoRA adapters"),
    SCEN_FIELD("zipf", ScenAdapters, zipf, SCEN_NUMBER, .max = 10, .fallback = "1",
               .help = "exponent of their popularity; 0: all the same (default: 1)"),
};

static const ScenTable adapter_table = {
    .what = "adapters",
    .fields = adapter_fields,
    .count = G_N_ELEMENTS(adapter_fields),
    .size = sizeof(ScenAdapters),
};

static void check_day(ScenBinder *binder, const ScenNode *map, ScenTraffic *traffic)
{
    StratArrivals *arrivals = &traffic->spec.arrivals;
    bool hourly = scen_node_get(map, "hourly"), sinusoid = scen_node_get(map, "amplitude");
    if (hourly == sinusoid)
        scen_bind_fail(binder, map, "arrivals",
                       "diurnal arrivals need hourly or amplitude, one "
                       "of them");
    if (hourly && scen_node_get(map, "peak"))
        scen_bind_fail(binder, map, "peak", "'peak' is of a sinusoid, not of hourly factors");
    if (!traffic->hourly)
        return;
    double sum = 0.0;
    for (guint i = 0; i < traffic->hourly->len; i++)
        sum += g_array_index(traffic->hourly, double, i);
    if (traffic->hourly->len != STRAT_ARRIVALS_HOURS || sum <= 0.0)
        scen_bind_fail(binder, map, "hourly", "'hourly' must have %d numbers, not all 0",
                       STRAT_ARRIVALS_HOURS);
    arrivals->hourly = (const double *)(void *)traffic->hourly->data;
}

static void check_bursts(ScenBinder *binder, const ScenNode *map, const StratArrivals *arrivals)
{
    double most = (arrivals->on_s + arrivals->off_s) / arrivals->on_s;
    if (arrivals->on_factor > most)
        scen_bind_fail(binder, map, "on_factor",
                       "'on_factor' is at most (on + off) / on = %.6g, which is silence when off",
                       most);
}

/* Lists become running sums. */
static void finish_shares(ScenBinder *binder, const ScenNode *map, ScenTraffic *traffic)
{
    if (traffic->priorities) {
        double *weight = (double *)(void *)traffic->priorities->data;
        guint count = traffic->priorities->len;
        strat_shares_sum(weight, count);
        if (count == 0 || weight[count - 1] <= 0.0)
            scen_bind_fail(binder, map, "priorities", "'priorities' needs a weight above 0");
        traffic->spec.priorities = weight;
        traffic->spec.priority_count = count;
    }
    if (traffic->adapters.count > 0) {
        guint count = (guint)traffic->adapters.count;
        traffic->adapter_shares = g_array_sized_new(FALSE, TRUE, sizeof(double), count);
        g_array_set_size(traffic->adapter_shares, count);
        double *weight = (double *)(void *)traffic->adapter_shares->data;
        strat_shares_zipf(weight, count, traffic->adapters.zipf);
        traffic->spec.adapters = weight;
        traffic->spec.adapter_count = count;
    }
}

/* Several answers to a request. */
static void finish_forks(ScenBinder *binder, const ScenNode *map, ScenTraffic *traffic)
{
    StratTraffic *spec = &traffic->spec;
    bool beams = scen_node_get(map, "beam_width");
    spec->forks = scen_node_get(map, "samples");
    spec->samples = traffic->samples.length;
    if (spec->samples.kind == STRAT_LENGTH_CONSTANT && spec->samples.mean > MOST_SAMPLES)
        scen_bind_fail(binder, map, "samples", "'samples' is at most %d", MOST_SAMPLES);
    if (spec->samples.most == 0 || spec->samples.most > MOST_SAMPLES)
        spec->samples.most = MOST_SAMPLES;
    if (spec->forks && beams)
        scen_bind_fail(binder, map, "beam_width",
                       "a request has samples or beams: 'beam_width' does not go with 'samples'");
    if ((spec->forks || beams) && spec->sessions)
        scen_bind_fail(binder, map, "sessions",
                       "which of several answers a conversation goes on from is not modelled: "
                       "'sessions' does not go with 'samples' or 'beam_width'");
    if (!beams && scen_node_get(map, "beam_turnover"))
        scen_bind_fail(binder, map, "beam_turnover",
                       "'beam_turnover' is of a 'beam_width', and there is none");
    if (!scen_node_get(map, "beam_turnover"))
        spec->beam_turnover = -1.0;
}

static void finish_trace(ScenBinder *binder, const ScenNode *map, ScenTraffic *traffic)
{
    g_autoptr(GError) error = NULL;
    traffic->replay.rate_scale = traffic->rate_scale;
    if (traffic->replay.format && !scen_trace_format_by_name(traffic->replay.format, &error))
        scen_bind_fail(binder, map, "format", "%s", error->message);
    scen_bind_path(binder, &traffic->trace);
}

static void finish_arrivals(ScenBinder *binder, const ScenNode *map, ScenTraffic *traffic)
{
    StratTraffic *spec = &traffic->spec;
    bool single = traffic->kind == SINGLE_STREAM;
    spec->arrivals.kind = single ? STRAT_ARRIVALS_CLOSED_LOOP : (StratArrivalKind)traffic->kind;
    if (single)
        spec->arrivals.concurrency = 1;
    spec->arrivals.rate_per_s *= traffic->rate_scale;
    spec->input = traffic->input.length;
    spec->output = traffic->output.length;
    if (traffic->kind == STRAT_ARRIVALS_DIURNAL)
        check_day(binder, map, traffic);
    if (traffic->kind == STRAT_ARRIVALS_ON_OFF && spec->arrivals.on_s > 0.0)
        check_bursts(binder, map, &spec->arrivals);
    if (traffic->kind != STRAT_ARRIVALS_ALL_AT_ONCE && !scen_node_get(map, "requests") &&
        !scen_node_get(map, "duration"))
        scen_bind_fail(binder, map, "requests",
                       "traffic needs requests or duration, or it never "
                       "ends");
    finish_shares(binder, map, traffic);
    finish_forks(binder, map, traffic);
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenTraffic *traffic = out;
    bool has_trace = scen_node_get(map, "trace"), has_kind = scen_node_get(map, "arrivals");
    if (has_trace == has_kind) {
        scen_bind_fail(binder, map, "arrivals", "traffic needs arrivals or a trace, one of them");
        return;
    }
    if (has_kind && !scen_node_is_named(scen_node_get(map, "arrivals"), kinds))
        return;
    if (has_trace)
        traffic->kind = FROM_TRACE;
    g_autofree char *chosen = has_trace
                                  ? g_strdup("a trace")
                                  : g_strdup_printf("arrivals: %s", kinds[traffic->kind].text);
    scen_check_keys(binder, map, rules, G_N_ELEMENTS(rules), traffic->kind, chosen);
    if (has_trace)
        finish_trace(binder, map, traffic);
    else
        finish_arrivals(binder, map, traffic);
}

static const ScenField fields[] = {
    FIELD("arrivals", kind, SCEN_ENUM, .names = kinds,
          .help = "process that starts requests, or conversations where there are sessions"),
    FIELD("rate", spec.arrivals.rate_per_s, SCEN_QUANTITY, .dimension = SCEN_RATE_PER_S,
          .help = "mean rate of starts, in 1/s"),
    FIELD("cv", spec.arrivals.cv, SCEN_NUMBER, .min = 0.02, .max = 100,
          .help = "gamma, weibull: standard deviation of the gaps over their mean"),
    TIME("on", spec.arrivals.on_s, .help = "on-off: mean length of a burst, in s"),
    TIME("off", spec.arrivals.off_s, .help = "on-off: mean length of a lull, in s"),
    FIELD("on_factor", spec.arrivals.on_factor, SCEN_NUMBER, .min = 0.01, .max = 1e6,
          .help = "on-off: rate in a burst over the mean rate (default: silence in lulls)"),
    FIELD("hourly", hourly, SCEN_NUMBERS, .max = 1e9,
          .help = "diurnal: 24 weights of the hours; the mean is the rate"),
    FIELD("amplitude", spec.arrivals.amplitude, SCEN_NUMBER, .max = 1,
          .help = "diurnal: of a sinusoid, over its mean"),
    TIME("peak", spec.arrivals.peak_s, .zero = true,
         .help = "diurnal: time of the day of a sinusoid's peak, in s (default: 0)"),
    TIME("period", spec.arrivals.period_s, .fallback = "1 d",
         .help = "diurnal: length of a day, in s (default: 1 d)"),
    TIME("start", spec.arrivals.start_s, .zero = true,
         .help = "diurnal: time of the day at which the run starts, in s (default: 0)"),
    FIELD("concurrency", spec.arrivals.concurrency, SCEN_INT, .min = 1, .max = 1e6,
          .help = "closed-loop: users, each with one request at a time"),
    TIME("think_time", spec.think.mean_s, .zero = true,
         .help = "closed-loop: from an answer to the user's next request, in s (default: 0)"),
    THINK(spec.think.exponential),
    FIELD("requests", spec.requests, SCEN_INT, .min = 1, .max = 1e12,
          .help = "ends after so many requests"),
    TIME("duration", spec.duration_s, .help = "nothing arrives from then on, in s"),
    FIELD("input", input, SCEN_CUSTOM, .bind = scen_length_bind, .expected = SCEN_LENGTH_EXPECTED,
          .forms = scen_length_forms,
          .help = "tokens of a prompt; with sessions, that a turn adds to it"),
    FIELD("output", output, SCEN_CUSTOM, .bind = scen_length_bind, .expected = SCEN_LENGTH_EXPECTED,
          .forms = scen_length_forms, .help = "tokens of an answer"),
    FIELD("samples", samples, SCEN_CUSTOM, .bind = scen_length_bind,
          .expected = SCEN_LENGTH_EXPECTED, .forms = scen_length_forms,
          .help = "answers to each request, each with an output of its own (default: 1)"),
    FIELD("beam_width", spec.beams, SCEN_INT, .min = 2, .max = MOST_SAMPLES,
          .help = "beams of a search for the answer (default: no search)"),
    FIELD("beam_turnover", spec.beam_turnover, SCEN_NUMBER, .max = 1,
          .help = "chance that a beam is dropped after an iteration (default: no preference)"),
    SCEN_GROUP("sessions", &session_table, .help = "requests are turns of conversations"),
    FIELD("priorities", priorities, SCEN_NUMBERS, .max = 1e12,
          .help = "weights of priority 0 (served first), 1, ... (default: all 0)"),
    FIELD("adapters", adapters, SCEN_MAP, .table = &adapter_table,
          .help = "LoRA adapters that requests ask for"),
    FIELD("trace", trace, SCEN_TEXT, .help = "file of requests to replay, from this folder"),
    FIELD("format", replay.format, SCEN_TEXT,
          .help = "of the trace (default: told from its first line)"),
    FIELD("limit", replay.limit, SCEN_INT, .min = 1, .max = 1e12,
          .help = "ends the trace after so many requests"),
    FIELD("repeat", replay.repeat, SCEN_INT, .min = 1, .max = 1e6,
          .help = "passes over the trace (default: 1)"),
    FIELD("rate_scale", rate_scale, SCEN_NUMBER, .min = 1e-6, .max = 1e6, .fallback = "1",
          .help = "so many times the rate (default: 1)"),
};

const ScenTable scen_traffic_table = {
    .what = "traffic",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenTraffic),
    .finish = finish,
};
