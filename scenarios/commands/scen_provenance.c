/* Where inputs came from.
 *
 * A figure's first word says which rows stand behind it: a cost hangs on the price, months on faults
 * and storage, and all of it on the model, the node, its GPU and the profile that prices the GPU's
 * work. The evidence of a training step is the weakest of the kinds of costs that matter, as the
 * report says it (strat_interval.c). */
#include "scen_provenance.h"

#include "kern_gemm.h"
#include "scen_text.h"

#include <json-glib/json-glib.h>
#include <string.h>

enum { NAME_COLUMN = 4, SOURCE_COLUMN = 16 };

static void add_text(GString *out, const char *what, const char *text)
{
    g_string_append_printf(out, "%*s%-*s", NAME_COLUMN, "", SOURCE_COLUMN - NAME_COLUMN, what);
    scen_text_wrap(out, text, SOURCE_COLUMN, SOURCE_COLUMN);
}

static void add_row(GString *out, const char *what, const char *name, const char *source)
{
    if (!name || !name[0])
        return;
    g_autofree char *text =
        g_strdup_printf("%s%s%s", name, source ? ": " : "", source ? source : "");
    add_text(out, what, text);
}

static void add_fit(GString *out, const char *what, double median, double p90, int64_t rows)
{
    if (rows <= 0)
        return;
    g_autofree char *text = g_strdup_printf(
        "%s: median error %.1f %%, p90 %.1f %%, of %" G_GINT64_FORMAT " measured rows", what,
        100.0 * median, 100.0 * p90, rows);
    add_text(out, "", text);
}

static void add_profile(GString *out, const KernProfile *profile)
{
    add_row(out, "profile", profile->name, profile->source);
    for (int t = 0; t < KERN_GEMM_TYPES; t++) {
        const KernGemmFit *fit = &profile->gemm[t];
        g_autofree char *what = g_strdup_printf("GEMM %s", kern_gemm_type_name((KernGemmType)t));
        add_fit(out, what, fit->median_error_fraction, fit->p90_error_fraction, fit->rows);
    }
    const KernAttentionFit *attention = &profile->attention;
    add_fit(out, "attention", attention->median_error_fraction, attention->p90_error_fraction,
            attention->rows);
}

static void add_evidence(GString *out, const char *json)
{
    g_autoptr(JsonNode) root = json ? json_from_string(json, NULL) : NULL;
    JsonObject *object = root ? json_node_get_object(root) : NULL;
    if (!object || !json_object_has_member(object, "training"))
        return;
    JsonObject *training = json_object_get_object_member(object, "training");
    const char *evidence = json_object_get_string_member_with_default(training, "evidence", NULL);
    const char *of = json_object_get_string_member_with_default(training, "evidence_of", "");
    g_autofree char *text =
        evidence ? g_strdup_printf("weakest of what matters: %s (%s)", evidence, of) : NULL;
    if (text)
        add_text(out, "evidence", text);
}

void scen_provenance_append(GString *out, const ScenScenario *scenario, const char *path,
                            const char *json)
{
    const TopoNode *node = &scenario->cluster.node;
    bool months = scenario->campaign.is_on, costs = g_str_has_prefix(path, "cost.");
    add_row(out, "model", scenario->model.name, scenario->model.source);
    add_row(out, "cluster", scenario->cluster.name, scenario->cluster.source);
    add_row(out, "node", node->name, node->source);
    add_row(out, "GPU", node->gpu.name, node->gpu.source);
    if (scenario->serving.is_on)
        add_row(out, "engine", scenario->serving.engine.row.name,
                scenario->serving.engine.row.source);
    else
        add_row(out, "plan", scenario->plan.name, scenario->plan.source);
    if (months && (g_str_has_prefix(path, "campaign.") || costs)) {
        add_row(out, "faults", scenario->campaign.faults.name, scenario->campaign.faults.source);
        add_row(out, "storage", scenario->campaign.storage.row.name,
                scenario->campaign.storage.row.source);
    }
    if (costs)
        add_row(out, "price", scenario->cost.name, scenario->cost.source);
    if (scenario->replay)
        add_row(out, "trace", scenario->replay, NULL);
    add_profile(out, &scenario->profile);
    if (g_str_has_prefix(path, "training.") || g_str_has_prefix(path, "ledger_gpu_s."))
        add_evidence(out, json);
    if (g_str_has_prefix(path, "expected.") || g_str_has_prefix(path, "published."))
        add_row(out, "published", scenario->expect.source, NULL);
}
