/* One point of a sweep: its settings laid over the scenario, loaded, simulated, and its answer's JSON
 * taken apart into figures.
 *
 * A figure is a number of the answer, named by the keys that lead to it ("training.step_time_s",
 * "memory.0.peak_bytes"; true and false are 1 and 0). What is not finite is null in the answer, and
 * no figure. Kept are those that `sweep.figures` names; without it all but the elements of lists
 * longer than SERIES_MIN, which are series over time rather than figures (a memory timeline has
 * 257 samples, a model has at most 64 stages in its reports), and the two that say nothing of the
 * result, the schema's version and the seed, which has its own column.
 *
 * The outcome travels as bytes between the processes of one run, so it is in the machine's own
 * order: a head, two texts, then each figure as a text and a double. */
#include "scen_sweep_point.h"

#include "scen_answer.h"
#include "scen_options.h"

#include <json-glib/json-glib.h>
#include <string.h>

enum { SERIES_MIN = 64 };

typedef struct Head {
    double seconds;
    int64_t seed;
    int32_t status;
    uint32_t texts; /* bit 0: an error, bit 1: a digest */
} Head;

const char *scen_point_status_name(ScenPointStatus status)
{
    static const char *const names[] = {
        [SCEN_POINT_OK] = "ok",
        [SCEN_POINT_NO] = "no",
        [SCEN_POINT_WRONG] = "wrong",
        [SCEN_POINT_FAULT] = "fault",
    };
    return names[status];
}

ScenSweepPlan *scen_sweep_plan_new(const ScenVariants *variants)
{
    const GArray *figures = scen_variants_base(variants)->sweep.figures;
    ScenSweepPlan *plan = g_new0(ScenSweepPlan, 1);
    plan->variants = variants;
    if (figures)
        plan->patterns = g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);
    for (guint i = 0; figures && i < figures->len; i++)
        g_ptr_array_add(plan->patterns,
                        g_pattern_spec_new(g_array_index(figures, const char *, i)));
    return plan;
}

void scen_sweep_plan_free(ScenSweepPlan *plan)
{
    if (!plan)
        return;
    if (plan->patterns)
        g_ptr_array_unref(plan->patterns);
    g_free(plan);
}

char **scen_sweep_point_sets(const ScenSweepPlan *plan, int64_t point)
{
    int64_t seed = -1;
    g_autoptr(GArray) settings =
        scen_sweep_settings(&scen_variants_base(plan->variants)->sweep, point, &seed);
    g_autoptr(GStrvBuilder) sets = g_strv_builder_new();
    for (guint i = 0; i < settings->len; i++) {
        const ScenSetting *setting = &g_array_index(settings, ScenSetting, i);
        g_autofree char *text = g_strconcat(setting->path, "=", setting->value, NULL);
        g_strv_builder_add(sets, text);
    }
    g_autofree char *seeded = g_strdup_printf("seed=%" G_GINT64_FORMAT, seed);
    if (seed >= 0)
        g_strv_builder_add(sets, seeded);
    return g_strv_builder_end(sets);
}

/* A walk over an answer. */
typedef struct Walk {
    const ScenSweepPlan *plan;
    GString *path;
    GByteArray *out;
} Walk;

static bool is_kept(const Walk *walk)
{
    const char *path = walk->path->str;
    const GPtrArray *patterns = walk->plan->patterns;
    if (g_str_equal(path, "schema") || g_str_equal(path, "seed"))
        return false;
    for (guint i = 0; patterns && i < patterns->len; i++)
        if (g_pattern_spec_match(patterns->pdata[i], walk->path->len, path, NULL))
            return true;
    return !patterns;
}

static void add_figure(Walk *walk, double value)
{
    if (!is_kept(walk))
        return;
    g_byte_array_append(walk->out, (const guint8 *)walk->path->str, (guint)walk->path->len + 1);
    g_byte_array_append(walk->out, (const guint8 *)&value, sizeof value);
}

static void visit(Walk *walk, JsonNode *node);

static void visit_member(JsonObject *object, const char *key, JsonNode *node, void *data)
{
    (void)object;
    Walk *walk = data;
    gsize length = walk->path->len;
    if (length > 0)
        g_string_append_c(walk->path, '.');
    g_string_append(walk->path, key);
    visit(walk, node);
    g_string_truncate(walk->path, length);
}

static void visit_list(Walk *walk, JsonArray *list)
{
    guint count = json_array_get_length(list);
    gsize length = walk->path->len;
    if (count > SERIES_MIN && !walk->plan->patterns)
        return;
    for (guint i = 0; i < count; i++) {
        g_string_append_printf(walk->path, ".%u", i);
        visit(walk, json_array_get_element(list, i));
        g_string_truncate(walk->path, length);
    }
}

static void visit(Walk *walk, JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        json_object_foreach_member(json_node_get_object(node), visit_member, walk);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        visit_list(walk, json_node_get_array(node));
    } else if (JSON_NODE_HOLDS_VALUE(node)) {
        GType type = json_node_get_value_type(node);
        if (type == G_TYPE_BOOLEAN)
            add_figure(walk, json_node_get_boolean(node) ? 1.0 : 0.0);
        else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
            add_figure(walk, json_node_get_double(node));
    }
}

/* Why an answer says no: the first of its warnings where it does not fit. */
static char *why_not(JsonObject *answer)
{
    JsonArray *warnings = json_object_has_member(answer, "warnings")
                              ? json_object_get_array_member(answer, "warnings")
                              : NULL;
    bool fits = json_object_get_boolean_member_with_default(answer, "fits", TRUE);
    if (!fits && warnings && json_array_get_length(warnings) > 0)
        return g_strdup(json_array_get_string_element(warnings, 0));
    return g_strdup(fits ? "its objectives are missed" : "it does not fit in memory");
}

/* Everything between the settings and the figures. */
static ScenPointStatus answer(const ScenSweepPlan *plan, const ScenScenario *scenario,
                              const char *const *sets, GByteArray *figures, char **why)
{
    const ScenAnswerWants wants = {.overrides = sets, .json = true};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(ScenAnswer) got = scen_answer_new(scenario, &wants, &error);
    if (!got || !json_parser_load_from_data(parser, got->json, -1, &error)) {
        *why = g_strdup(error->message);
        return got ? SCEN_POINT_FAULT : (ScenPointStatus)scen_exit_of(error);
    }
    JsonNode *root = json_parser_get_root(parser);
    Walk walk = {.plan = plan, .path = path, .out = figures};
    visit(&walk, root);
    if (!got->holds)
        *why = why_not(json_node_get_object(root));
    return got->holds ? SCEN_POINT_OK : SCEN_POINT_NO;
}

_Static_assert((int)SCEN_POINT_NO == (int)SCEN_EXIT_NO &&
                   (int)SCEN_POINT_WRONG == (int)SCEN_EXIT_WRONG &&
                   (int)SCEN_POINT_FAULT == (int)SCEN_EXIT_FAULT,
               "an outcome is the exit status of orrery run");

/* @why without the folder of the file, which is another one on another machine. */
static char *without_folder(char *why, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GString) text = g_string_new(why);
    g_string_replace(text, path, name, 0);
    g_free(why);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void append_text(GByteArray *out, const char *text)
{
    if (text)
        g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text) + 1);
}

GBytes *scen_sweep_point_run(const ScenSweepPlan *plan, int64_t point)
{
    gint64 began = g_get_monotonic_time();
    g_auto(GStrv) sets = scen_sweep_point_sets(plan, point);
    const char *const *overrides = (const char *const *)sets;
    g_autofree char *why = NULL, *digest = NULL;
    g_autoptr(GByteArray) figures = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario =
        scen_variants_load(plan->variants, overrides, &digest, &error);
    Head head = {.seed = (int64_t)scen_variants_base(plan->variants)->seed};
    SimFarm alone = sim_farm_threads(1); /* the points are what goes on at the same time */
    if (scenario) {
        scenario->campaign.spec.farm = scenario->queue.spec.farm = &alone;
        head.seed = (int64_t)scenario->seed;
        scen_answer_changed(scenario, overrides);
        head.status = (int32_t)answer(plan, scenario, overrides, figures, &why);
    } else {
        head.status = (int32_t)scen_exit_of(error);
        why = g_strdup(error->message);
    }
    if (why)
        why = without_folder(why, scen_variants_base(plan->variants)->path);
    head.texts = (why ? 1U : 0U) | (digest ? 2U : 0U);
    head.seconds = (double)(g_get_monotonic_time() - began) * 1e-6;
    GByteArray *out = g_byte_array_sized_new((guint)sizeof head + figures->len + 256);
    g_byte_array_append(out, (const guint8 *)&head, sizeof head);
    append_text(out, why);
    append_text(out, digest);
    g_byte_array_append(out, figures->data, figures->len);
    return g_byte_array_free_to_bytes(out);
}

static const char *take_text(ScenPointOutcome *outcome, bool there)
{
    const char *text = outcome->at;
    if (!there)
        return NULL;
    outcome->at += strlen(text) + 1;
    return text;
}

ScenPointOutcome scen_point_outcome_read(GBytes *bytes)
{
    gsize size = 0;
    const char *data = g_bytes_get_data(bytes, &size);
    Head head;
    memcpy(&head, data, sizeof head);
    ScenPointOutcome outcome = {
        .status = (ScenPointStatus)head.status,
        .seed = head.seed,
        .seconds = head.seconds,
        .at = data + sizeof head,
        .end = data + size,
    };
    outcome.error = take_text(&outcome, head.texts & 1U);
    outcome.digest = take_text(&outcome, head.texts & 2U);
    return outcome;
}

const char *scen_point_outcome_next(ScenPointOutcome *outcome, double *value)
{
    if (outcome->at >= outcome->end)
        return NULL;
    const char *name = take_text(outcome, true);
    memcpy(value, outcome->at, sizeof *value);
    outcome->at += sizeof *value;
    return name;
}
