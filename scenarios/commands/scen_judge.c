/* A figure is simulated on the scenario as it is, or on a variant of it: the same file, loaded with
 * the figure's settings on top. Variants with the same settings run once. */
#include "scen_judge.h"

#include "scen_errors.h"

#include <math.h>

typedef struct Variant {
    const char *settings; /* lines; NULL: the scenario itself */
    ScenScenario *loaded; /* owned; NULL for the scenario itself */
    ScenOutcome *made;    /* owned; NULL when it was known */
    const ScenOutcome *outcome;
} Variant;

typedef struct Judge {
    const ScenScenario *scenario;
    const ScenOutcome *known;
    const char *const *sets;
    GArray *variants; /* of Variant */
} Judge;

static void variant_clear(void *data)
{
    Variant *variant = data;
    scen_scenario_free(variant->loaded);
    scen_outcome_free(variant->made);
}

static ScenScenario *load_variant(const Judge *judge, const char *settings, GError **error)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_auto(GStrv) lines = g_strsplit(settings, "\n", -1);
    for (size_t i = 0; judge->sets && judge->sets[i]; i++)
        g_strv_builder_add(all, judge->sets[i]);
    g_strv_builder_addv(all, (const char **)lines);
    g_auto(GStrv) overrides = g_strv_builder_end(all);
    return scen_scenario_load(judge->scenario->path, (const char *const *)overrides, error);
}

/* The variant with @settings, which runs if it has not; the judge owns it. */
static const Variant *variant_of(Judge *judge, const char *settings, GError **error)
{
    for (guint i = 0; i < judge->variants->len; i++) {
        const Variant *known = &g_array_index(judge->variants, Variant, i);
        if (g_strcmp0(known->settings, settings) == 0)
            return known;
    }
    Variant variant = {.settings = settings};
    if (settings && !(variant.loaded = load_variant(judge, settings, error)))
        return NULL;
    const ScenScenario *scenario = settings ? variant.loaded : judge->scenario;
    if (settings || !judge->known)
        variant.made = scen_outcome_new(scenario, error);
    variant.outcome = variant.made ? variant.made : settings ? NULL : judge->known;
    if (!variant.outcome) {
        variant_clear(&variant);
        return NULL;
    }
    g_array_append_val(judge->variants, variant);
    return &g_array_index(judge->variants, Variant, judge->variants->len - 1);
}

static bool value_of(Judge *judge, const ScenFigure *figure, const char *settings, double *value,
                     GError **error)
{
    const Variant *variant = variant_of(judge, settings, error);
    if (!variant) {
        g_prefix_error(error, "%s: ", scen_figure_key(figure->kind));
        return false;
    }
    *value =
        scen_figure_value(figure, settings ? variant->loaded : judge->scenario, variant->outcome);
    if (isfinite(*value))
        return true;
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "the run has no figure %s%s%s",
                scen_figure_key(figure->kind), figure->of ? " of " : "",
                figure->of ? figure->of : "");
    return false;
}

GArray *scen_judge(const ScenScenario *scenario, const ScenOutcome *known, const char *const *sets,
                   GError **error)
{
    g_autoptr(GArray) judgements = g_array_new(FALSE, FALSE, sizeof(ScenJudgement));
    g_autoptr(GArray) variants = g_array_new(FALSE, FALSE, sizeof(Variant));
    g_array_set_clear_func(variants, variant_clear);
    Judge judge = {.scenario = scenario, .known = known, .sets = sets, .variants = variants};
    const GArray *figures = scenario->expect.figures;
    for (guint i = 0; figures && i < figures->len; i++) {
        const ScenFigure *figure = &g_array_index(figures, ScenFigure, i);
        double value = 0.0, divisor = 1.0;
        if (!value_of(&judge, figure, figure->with, &value, error) ||
            (figure->over && !value_of(&judge, figure, figure->over, &divisor, error)))
            return NULL;
        value /= divisor;
        ScenJudgement judgement = {figure, value, value >= figure->least && value <= figure->most};
        g_array_append_val(judgements, judgement);
    }
    return g_steal_pointer(&judgements);
}
