/* The table of published figures of failures.
 *
 *   figures:
 *     - {figure: interruptions, published: 419, tolerance: poisson}
 *     - {figure: ettr, at_least: 0.9, basis: assumed}
 *     - {figure: mttf, published: 0.23 h, tolerance: 5 %, name: all, with: {cluster.gpus: 131072}}
 *     - {figure: recovery, at_most: 0.2, with: {...}, over: {...}}       # a ratio
 *
 * A tolerance is absolute (in the figure's unit), relative (`5 %`), or `poisson`: two standard
 * deviations of a count, 2 sqrt(n). `with` lays settings over the scenario, as --set does; with
 * `over` the figure is that of `with` over that of `over`. */
#include "scen_fields.h"
#include "scen_figure.h"
#include "strat_campaign.h"

#include <math.h>
#include <string.h>

static const double POISSON_SIGMAS = 2.0; /* as the rows state it */

/* Settings of a map as lines KEY=VALUE. */
static bool bind_settings(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                          void *slot)
{
    (void)field;
    if (node->kind != SCEN_NODE_MAP)
        return false;
    g_autoptr(GString) lines = g_string_new(NULL);
    for (size_t i = 0; i < node->items->len; i++) {
        const ScenItem *item = &g_array_index(node->items, ScenItem, i);
        if (item->value->kind != SCEN_NODE_TEXT)
            return false;
        g_string_append_printf(lines, "%s%s=%s", i > 0 ? "\n" : "", item->key, item->value->text);
    }
    *(const char **)slot = g_string_chunk_insert(binder->strings, lines->str);
    return true;
}

/* A value of @figure: a time with its unit, or a plain number. */
static bool parse_value(const ScenFigure *figure, const char *text, double *value)
{
    if (scen_figure_is_time(figure))
        return scen_quantity_parse(text, SCEN_TIME_S, value, NULL);
    char *end = NULL;
    *value = g_ascii_strtod(text, &end);
    return *text != '\0' && *end == '\0' && isfinite(*value);
}

/* The half width of what counts as met. */
static bool parse_tolerance(const ScenFigure *figure, double *width)
{
    const char *text = figure->tolerance_text;
    if (g_str_equal(text, "poisson")) {
        *width = POISSON_SIGMAS * sqrt(figure->published);
        return !scen_figure_is_time(figure) && figure->published >= 0.0;
    }
    if (!g_str_has_suffix(text, "%"))
        return parse_value(figure, text, width) && *width >= 0.0;
    g_autofree char *number = g_strstrip(g_strndup(text, strlen(text) - 1));
    char *end = NULL;
    *width = fabs(figure->published) * g_ascii_strtod(number, &end) / 100.0;
    return *number != '\0' && *end == '\0' && *width >= 0.0;
}

static void finish_value(ScenBinder *binder, const ScenNode *map, const ScenFigure *figure,
                         const char *key, const char *text, double *value)
{
    if (text && !parse_value(figure, text, value))
        scen_bind_fail(binder, map, key, "'%s' must be %s, not '%s'", key,
                       scen_figure_is_time(figure) ? "a time with its unit" : "a number", text);
}

static void finish_of(ScenBinder *binder, const ScenNode *map, const ScenFigure *figure)
{
    ScenFigureOf wants = scen_figure_of(figure->kind);
    bool known = wants == SCEN_OF_CLASSES || !figure->of;
    for (int b = 0; wants == SCEN_OF_BUCKET && figure->of && b < STRAT_LOST_COUNT; b++)
        known = known || g_str_equal(figure->of, strat_lost_key((StratLost)b));
    if (wants == SCEN_OF_NUMBER)
        known = figure->of && g_ascii_strtoull(figure->of, NULL, 10) > 0;
    if (!known)
        scen_bind_fail(binder, map, "of", "'of' of %s must be %s", scen_figure_key(figure->kind),
                       wants == SCEN_OF_BUCKET   ? "a bucket of the campaign's ledger"
                       : wants == SCEN_OF_NUMBER ? "a whole number above 0"
                                                 : "left out");
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenFigure *figure = out;
    figure->published = NAN;
    figure->least = -INFINITY;
    figure->most = INFINITY;
    finish_of(binder, map, figure);
    finish_value(binder, map, figure, "published", figure->published_text, &figure->published);
    finish_value(binder, map, figure, "at_least", figure->least_text, &figure->least);
    finish_value(binder, map, figure, "at_most", figure->most_text, &figure->most);
    double width = 0.0;
    bool bounded = figure->least_text || figure->most_text;
    if (bounded == (figure->tolerance_text != NULL))
        scen_bind_fail(binder, map, "tolerance",
                       "a figure has published and tolerance, or at_least and at_most");
    else if (figure->tolerance_text && !figure->published_text)
        scen_bind_fail(binder, map, "tolerance", "a tolerance needs published");
    else if (figure->tolerance_text && !parse_tolerance(figure, &width))
        scen_bind_fail(binder, map, "tolerance",
                       "'tolerance' must be in the figure's unit, a percentage, or poisson (of a "
                       "count), not '%s'",
                       figure->tolerance_text);
    else if (figure->tolerance_text) {
        figure->least = figure->published - width;
        figure->most = figure->published + width;
    }
}

static const ScenName bases[] = {
    {"predicted", SCEN_BASIS_PREDICTED},
    {"assumed",   SCEN_BASIS_ASSUMED  },
    {"input",     SCEN_BASIS_INPUT    },
    {NULL,        0                   },
};

static bool bind_kind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    (void)field;
    for (int k = 0; node->kind == SCEN_NODE_TEXT && k < SCEN_FIGURE_COUNT; k++)
        if (g_str_equal(node->text, scen_figure_key((ScenFigureKind)k))) {
            *(ScenFigureKind *)slot = (ScenFigureKind)k;
            return true;
        }
    return false;
}

static const ScenForm kind_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "a figure (orrery list figures)"}},
    {.value = {.help = NULL}},
};

static const ScenForm settings_forms[] = {
    {.value = {.kind = SCEN_MAP, .help = "settings, as --set takes them"}},
    {.value = {.help = NULL}},
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenFigure, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("figure", kind, SCEN_CUSTOM, .required = true, .bind = bind_kind,
          .expected = "the name of a figure (orrery list figures)", .forms = kind_forms,
          .help = "what was published"),
    FIELD("name", name, SCEN_TEXT, .help = "what sets it apart from others of its kind"),
    FIELD("of", of, SCEN_TEXT, .help = "classes of faults (a pattern), a bucket, or a number"),
    FIELD("published", published_text, SCEN_TEXT, .help = "what the source says"),
    FIELD("tolerance", tolerance_text, SCEN_TEXT,
          .help = "how near is met: in its unit, a percentage, or poisson"),
    FIELD("at_least", least_text, SCEN_TEXT, .help = "instead: a lower bound"),
    FIELD("at_most", most_text, SCEN_TEXT, .help = "instead: an upper bound"),
    FIELD("own_tolerance", own_tolerance, SCEN_BOOL, .fallback = "false",
          .help = "the source states no tolerance: this one is the scenario's (default: false)"),
    FIELD("basis", basis, SCEN_ENUM, .names = bases, .fallback = "predicted",
          .help = "predicted, assumed or input: what the figure hangs on (default: predicted)"),
    FIELD("with", with, SCEN_CUSTOM, .bind = bind_settings,
          .expected = "a map of settings, as --set takes them", .forms = settings_forms,
          .help = "laid over the scenario"),
    FIELD("over", over, SCEN_CUSTOM, .bind = bind_settings,
          .expected = "a map of settings, as --set takes them", .forms = settings_forms,
          .help = "the figure is that of `with` over that of these"),
};

const ScenTable scen_figure_table = {
    .what = "figure",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenFigure),
    .finish = finish,
};
