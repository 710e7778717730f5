/* The table of a length distribution: a whole number, or a map.
 *
 *   input: 512
 *   input: {distribution: lognormal, mean: 512, median: 300, max: 32768}
 *   input: {distribution: histogram, edges: [0, 128, 1024], weights: [3, 1]}
 *
 * A lognormal is told by its mean or median and by one more of median, sigma (of the logarithm) and
 * cv (coefficient of variation). */
#include "scen_traffic.h"
#include "sim_math.h"
#include "strat_traffic_shares.h"

#define MOST_TOKENS 0x1p40
#define BIT(kind) (1U << STRAT_LENGTH_##kind)
#define CLIPPED (BIT(UNIFORM) | BIT(LOGNORMAL) | BIT(EXPONENTIAL) | BIT(GEOMETRIC))
#define HAS_MEAN (BIT(CONSTANT) | BIT(LOGNORMAL) | BIT(EXPONENTIAL) | BIT(GEOMETRIC))

const ScenName scen_length_names[] = {
    {"constant",    STRAT_LENGTH_CONSTANT   },
    {"uniform",     STRAT_LENGTH_UNIFORM    },
    {"lognormal",   STRAT_LENGTH_LOGNORMAL  },
    {"exponential", STRAT_LENGTH_EXPONENTIAL},
    {"geometric",   STRAT_LENGTH_GEOMETRIC  },
    {"histogram",   STRAT_LENGTH_HISTOGRAM  },
    {"values",      STRAT_LENGTH_VALUES     },
    {NULL,          0                       },
};

static const ScenKeyRule rules[] = {
    {"mean",    HAS_MEAN,       HAS_MEAN & ~BIT(LOGNORMAL)},
    {"median",  BIT(LOGNORMAL), 0                         },
    {"sigma",   BIT(LOGNORMAL), 0                         },
    {"cv",      BIT(LOGNORMAL), 0                         },
    {"min",     CLIPPED,        BIT(UNIFORM)              },
    {"max",     CLIPPED,        BIT(UNIFORM)              },
    {"edges",   BIT(HISTOGRAM), BIT(HISTOGRAM)            },
    {"weights", BIT(HISTOGRAM), BIT(HISTOGRAM)            },
    {"values",  BIT(VALUES),    BIT(VALUES)               },
};

static void finish_lognormal(ScenBinder *binder, const ScenNode *map, ScenLength *out)
{
    bool mean = scen_node_get(map, "mean"), median = scen_node_get(map, "median");
    bool sigma = scen_node_get(map, "sigma"), cv = scen_node_get(map, "cv");
    if (mean + median + sigma + cv != 2 || !(mean || median)) {
        scen_bind_fail(binder, map, "distribution",
                       "a lognormal needs mean or median, and one more of median, sigma and cv");
        return;
    }
    if (mean && median && out->median > out->mean)
        scen_bind_fail(binder, map, "median", "the median of a lognormal is not above its mean");
    if (mean && median)
        out->sigma = strat_length_sigma_of_median(out->mean, out->median);
    else if (cv)
        out->sigma = strat_length_sigma_of_cv(out->cv);
    if (!mean)
        out->mean = out->median * sim_math_exp(0.5 * out->sigma * out->sigma);
    out->length.mean = out->mean;
    out->length.sigma = out->sigma;
}

static void finish_histogram(ScenBinder *binder, const ScenNode *map, ScenLength *out)
{
    if (!out->edges || !out->weights)
        return;
    const double *edge = (const double *)(void *)out->edges->data;
    double *weight = (double *)(void *)out->weights->data;
    guint bins = out->weights->len;
    if (bins == 0 || out->edges->len != bins + 1) {
        scen_bind_fail(binder, map, "edges", "%u edges bound %u bins, but there are %u weights",
                       out->edges->len, MAX(out->edges->len, 1) - 1, bins);
        return;
    }
    for (guint i = 0; i < bins; i++)
        if (edge[i + 1] < edge[i] + 1.0)
            scen_bind_fail(binder, map, "edges", "edges must rise by 1 or more: %g, then %g",
                           edge[i], edge[i + 1]);
    strat_shares_sum(weight, bins);
    if (weight[bins - 1] <= 0.0)
        scen_bind_fail(binder, map, "weights", "the weights are all 0");
    out->length.edge = edge;
    out->length.running = weight;
    out->length.count = bins;
}

static void finish(ScenBinder *binder, const ScenNode *map, void *slot)
{
    ScenLength *out = slot;
    StratLength *length = &out->length;
    if (!scen_node_is_named(scen_node_get(map, "distribution"), scen_length_names))
        return;
    g_autofree char *chosen =
        g_strdup_printf("distribution: %s", scen_length_names[length->kind].text);
    scen_check_keys(binder, map, rules, G_N_ELEMENTS(rules), (int)length->kind, chosen);
    if (scen_node_get(map, "max") && length->most < length->least)
        scen_bind_fail(binder, map, "max", "'max' is below 'min'");
    length->mean = out->mean;
    if (length->kind == STRAT_LENGTH_LOGNORMAL)
        finish_lognormal(binder, map, out);
    if (length->kind == STRAT_LENGTH_HISTOGRAM)
        finish_histogram(binder, map, out);
    if (length->kind == STRAT_LENGTH_VALUES && out->values) {
        length->edge = (const double *)(void *)out->values->data;
        length->count = out->values->len;
        if (length->count == 0)
            scen_bind_fail(binder, map, "values", "'values' holds no length");
    }
}

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenLength, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("distribution", length.kind, SCEN_ENUM, .names = scen_length_names, .required = true,
          .help = "family of the distribution"),
    FIELD("mean", mean, SCEN_NUMBER, .min = 1, .max = 1e9,
          .help = "mean, in tokens, before clipping"),
    FIELD("median", median, SCEN_NUMBER, .min = 1, .max = 1e9, .help = "median, in tokens"),
    FIELD("sigma", sigma, SCEN_NUMBER, .max = 10, .help = "deviation of the logarithm"),
    FIELD("cv", cv, SCEN_NUMBER, .max = 100, .help = "standard deviation over mean"),
    FIELD("min", length.least, SCEN_INT, .min = 1, .max = 1e9,
          .help = "shortest, in tokens; what is shorter becomes it"),
    FIELD("max", length.most, SCEN_INT, .min = 1, .max = 1e9,
          .help = "longest, in tokens; what is longer becomes it"),
    FIELD("edges", edges, SCEN_NUMBERS, .max = 1e9,
          .help = "of a histogram: bounds of the bins, in tokens, one more than bins"),
    FIELD("weights", weights, SCEN_NUMBERS, .max = 1e12, .help = "of the bins"),
    FIELD("values", values, SCEN_NUMBERS, .min = 1, .max = 1e9,
          .help = "measured lengths, in tokens, each as likely"),
};

static const ScenTable length_table = {
    .what = "length",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenLength),
    .finish = finish,
};

const ScenForm scen_length_forms[] = {
    {.value = {.kind = SCEN_INT, .min = 1, .max = MOST_TOKENS, .help = "always the same"}},
    {.value = {.kind = SCEN_MAP, .table = &length_table, .help = "a distribution"}},
    {.value = {.help = NULL}},
};

bool scen_length_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    ScenLength *length = slot;
    if (node->kind == SCEN_NODE_MAP) {
        scen_bind(binder, &length_table, node, length);
        return true; /* what it refuses has paths of its own */
    }
    guint64 tokens = 0;
    if (node->kind != SCEN_NODE_TEXT || node->quoted ||
        !g_ascii_string_to_unsigned(node->text, 10, 1, (guint64)MOST_TOKENS, &tokens, NULL))
        return false;
    length->length.mean = (double)tokens;
    return true;
}
