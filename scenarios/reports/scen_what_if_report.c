/* The screen and the JSON of `orrery run --what-if`: one line a change, sorted by its effect on the
 * time of a step, or of an output token. */
#include "scen_what_if_report.h"

#include "scen_json.h"
#include "scen_text.h"

#include <math.h>
#include <string.h>

/* An effect below this fraction is printed as none. */
static const double LEAST_EFFECT = 5e-5;

enum { TEXT_COLUMN = 33, SETTING_COLUMN = 4 };

static double change(double value, double own)
{
    return value / own - 1.0;
}

/* Whether any figure of @entry is another than the scenario's own. */
static bool has_effect(const ScenWhatIf *what_if, const ScenWhatIfEntry *entry)
{
    const ScenWhatIfFigures *f = &entry->figures, *own = &what_if->own;
    const double changes[] = {
        entry->effect_fraction,
        change(f->tokens_per_s, own->tokens_per_s),
        change(f->ttft_s, own->ttft_s),
        change(f->memory_fraction, own->memory_fraction),
        change(f->usd_per_mtok, own->usd_per_mtok),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        if (fabs(changes[i]) >= LEAST_EFFECT)
            return true;
    return entry->why != NULL;
}

static void add_columns(GString *out, const ScenWhatIf *what_if, const ScenWhatIfFigures *f)
{
    g_autofree char *time = isnan(f->time_s) ? g_strdup("-") : scen_text_seconds(f->time_s);
    g_string_append_printf(out, "%11s", time);
    if (what_if->serves) {
        g_autofree char *ttft = isnan(f->ttft_s) ? g_strdup("-") : scen_text_seconds(f->ttft_s);
        g_string_append_printf(out, " %11s %10.1f", ttft, f->tokens_per_s);
    } else {
        g_string_append_printf(out, " %10.0f %6.1f %%", f->tokens_per_s,
                               100.0 * f->memory_fraction);
    }
    if (!isnan(what_if->own.usd_per_mtok))
        g_string_append_printf(out, " %8.4f", f->usd_per_mtok);
}

static void add_head(GString *out, const ScenScenario *scenario, const ScenWhatIf *what_if)
{
    g_string_append_printf(out, "%s: each alone, simulated in full; effect on the %s\n\n",
                           scenario->name,
                           what_if->serves ? "time of an output token (TPOT, mean)" : "step");
    g_string_append_printf(out, "%-*s %8s %11s", TEXT_COLUMN, "", "effect",
                           what_if->serves ? "TPOT" : "step");
    if (what_if->serves)
        g_string_append_printf(out, " %11s %10s", "TTFT", "tokens/s");
    else
        g_string_append_printf(out, " %10s %8s", "tokens/s", "memory");
    if (!isnan(what_if->own.usd_per_mtok))
        g_string_append_printf(out, " %8s", "$/Mtok");
    g_string_append_printf(out, "\n%-*s %8s ", TEXT_COLUMN, "as it is", "");
    add_columns(out, what_if, &what_if->own);
    g_string_append_c(out, '\n');
    if (what_if->why) {
        g_string_append_printf(out, "%*s", SETTING_COLUMN, "");
        scen_text_wrap(out, what_if->why, SETTING_COLUMN, SETTING_COLUMN);
    }
}

static void add_entry(GString *out, const ScenWhatIf *what_if, const ScenWhatIfEntry *entry)
{
    g_string_append_printf(out, "%-*s ", TEXT_COLUMN, entry->text);
    if (entry->why) {
        const char *advice = strstr(entry->why, "; ");
        g_autofree char *why =
            g_strndup(entry->why, advice ? (size_t)(advice - entry->why) : strlen(entry->why));
        g_string_append(out, "   cannot be: ");
        scen_text_wrap(out, why, TEXT_COLUMN + 15, SETTING_COLUMN);
    } else {
        g_string_append_printf(out, "%+6.2f %% ", 100.0 * entry->effect_fraction);
        add_columns(out, what_if, &entry->figures);
        g_string_append_c(out, '\n');
    }
    if (!entry->hardware) {
        g_string_append_printf(out, "%*s", SETTING_COLUMN, "");
        scen_text_wrap(out, entry->setting, SETTING_COLUMN, SETTING_COLUMN);
    }
}

/* "No effect: peak of fp32 +10 %, ..." */
static void add_idle(GString *out, const ScenWhatIf *what_if)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < what_if->entries->len; i++) {
        const ScenWhatIfEntry *entry = &g_array_index(what_if->entries, ScenWhatIfEntry, i);
        if (!has_effect(what_if, entry))
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "No effect: ", entry->text);
    }
    if (text->len > 0)
        scen_text_wrap(out, text->str, 0, SETTING_COLUMN);
}

char *scen_what_if_text(const ScenScenario *scenario, const ScenWhatIf *what_if)
{
    GString *out = g_string_new(NULL);
    add_head(out, scenario, what_if);
    for (guint i = 0; i < what_if->entries->len; i++) {
        const ScenWhatIfEntry *entry = &g_array_index(what_if->entries, ScenWhatIfEntry, i);
        if (has_effect(what_if, entry))
            add_entry(out, what_if, entry);
    }
    add_idle(out, what_if);
    for (guint i = 0; i < what_if->notes->len; i++) {
        g_string_append(out, i == 0 ? "\n" : "");
        scen_text_wrap(out, what_if->notes->pdata[i], 0, SETTING_COLUMN);
    }
    return g_string_free(out, FALSE);
}

static void add_figures(JsonBuilder *json, const ScenWhatIf *what_if, const ScenWhatIfFigures *f)
{
    bool serves = what_if->serves;
    scen_json_number(json, serves ? "tpot_s" : "step_time_s", f->time_s);
    scen_json_number(json, serves ? "output_tokens_per_s" : "tokens_per_s", f->tokens_per_s);
    if (serves)
        scen_json_number(json, "ttft_s", f->ttft_s);
    else
        scen_json_number(json, "memory_fraction", f->memory_fraction);
    scen_json_number(json, "usd_per_million_tokens", f->usd_per_mtok);
}

char *scen_what_if_json(const ScenScenario *scenario, const ScenWhatIf *what_if)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_boolean(json, "fits", what_if->why == NULL);
    json_builder_set_member_name(json, "own");
    json_builder_begin_object(json);
    add_figures(json, what_if, &what_if->own);
    json_builder_end_object(json);
    json_builder_set_member_name(json, "what_if");
    json_builder_begin_array(json);
    for (guint i = 0; i < what_if->entries->len; i++) {
        const ScenWhatIfEntry *entry = &g_array_index(what_if->entries, ScenWhatIfEntry, i);
        json_builder_begin_object(json);
        scen_json_text(json, "change", entry->text);
        scen_json_text(json, "kind", entry->hardware ? "hardware" : "knob");
        scen_json_text(json, "setting", entry->setting);
        scen_json_text(json, "cannot_be", entry->why);
        scen_json_number(json, "effect_fraction", entry->effect_fraction);
        add_figures(json, what_if, &entry->figures);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_set_member_name(json, "warnings");
    json_builder_begin_array(json);
    for (guint i = 0; i < what_if->notes->len; i++)
        json_builder_add_string_value(json, what_if->notes->pdata[i]);
    json_builder_end_array(json);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
