/* Speculation of measured rows: how many tokens are proposed, how many of them are kept, and what
 * one costs.
 *
 * leviathan2022  acceptance and length are the row's; the cost of a proposal over an iteration of
 *                the target is c of Leviathan, Kalman, Matias 2023 (arXiv 2211.17192), appendix
 *                A.3, Table 4, which profiled it. The row's figure is what was measured, not what
 *                the paper expects from acceptance and c: tests/analytic/test_speculation.c is
 *                held to that.
 * chen2023       a proposal takes 1.8 ms, an iteration 14.1 (Chen et al. 2023, arXiv 2302.01318,
 *                section 4). Acceptance is not tabulated; it is what the row's time of a token
 *                implies, 1 + a + .. + a^K = (14.1 + 1.8 K) / that time. What a run adds is the
 *                cost of verifying; the speed-up is otherwise the row's own.
 * medusa         tokens an iteration (acceleration rate) of Cai et al. 2024 (arXiv 2401.10774),
 *                Table 1, for Medusa-2, as a chain with the acceptance that gives as many; the run
 *                predicts what the heads and a tree of 64 nodes cost (1.22 to 1.27 there). A head
 *                is a residual block of hidden^2 and a head of hidden * vocab weights.
 * MTP            one token of DeepSeek-V3's own head, a layer more of 61, accepted as often as the
 *                row says. DeepSeek's profile does not say: its trace has two query tokens of each
 *                of 64 requests a micro-batch (16,384 = 128 * 128 blocks join the splits) and
 *                61 * 2 * 722 us = 88.1 ms an iteration, so that 18,598 tokens/s a node are 1.6
 *                tokens of 128 requests on 8 GPUs: 60 %, as SGLang's own rows. */
#include "scen_speculation_rows.h"

#include "strat_speculation.h"

#include <string.h>

static const struct {
    const char *text;
    double cost;
} leviathan_drafts[] = {
    {"T5-small", 0.02},
    {"T5-base",  0.04},
    {"T5-large", 0.11},
};

static const struct {
    const char *id;
    double tokens;         /* an iteration */
    double draft_fraction; /* (hidden^2 + hidden * vocab) / parameters */
} medusas[] = {
    {"medusa/Vicuna-7B",  3.47, 0.0220},
    {"medusa/Vicuna-13B", 3.51, 0.0146},
    {"medusa/Vicuna-33B", 3.01, 0.0079},
};

static const char no_acceptance[] = "speculation (%s) whose acceptance neither the row nor its "
                                    "source says";

static double result(ScenRowWriter *w, const char *name)
{
    JsonArray *results = json_object_get_array_member(w->row, "results");
    for (guint i = 0; i < json_array_get_length(results); i++) {
        JsonNode *node = json_array_get_element(results, i);
        JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        if (object && g_strcmp0(scen_row_text(object, "metric", NULL, &w->fault), name) == 0)
            return scen_row_number(object, "value", 0.0, &w->fault);
    }
    return 0.0;
}

/* The acceptance with which @s has @tokens an iteration, by halving: the count grows with it. */
static double acceptance_of(const ScenRowSpeculation *s, double tokens)
{
    double low = 0.0, high = 1.0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        StratSpeculation chain = {.tokens = s->tokens, .acceptance = middle};
        *(strat_speculation_expected(&chain) < tokens ? &low : &high) = middle;
    }
    return low;
}

static void leviathan(ScenRowWriter *w, const char *words, ScenRowSpeculation *s)
{
    s->model = "t5-xxl-decoder";
    s->tokens = (int64_t)result(w, "gamma");
    s->acceptance = result(w, "alpha");
    for (size_t i = 0; i < G_N_ELEMENTS(leviathan_drafts); i++)
        if (strstr(words, leviathan_drafts[i].text))
            s->draft_fraction = leviathan_drafts[i].cost;
    scen_row_assume(w, "a proposal costs %g iterations (the paper's Table 4)", s->draft_fraction);
}

static void chen(ScenRowWriter *w, ScenRowSpeculation *s)
{
    static const double DRAFT_MS = 1.8;
    double plain_ms = result(w, "tpot_autoregressive"), ms = result(w, "tpot_speculative");
    s->model = "chinchilla-70b";
    s->tokens = 4;
    if (plain_ms <= 0.0 || ms <= 0.0)
        return;
    s->draft_fraction = DRAFT_MS / plain_ms;
    s->acceptance = acceptance_of(s, (plain_ms + DRAFT_MS * (double)s->tokens) / ms);
    scen_row_guess(w, "acceptance %.3f, which the row's own times imply", s->acceptance);
}

static void medusa(ScenRowWriter *w, const char *id, ScenRowSpeculation *s)
{
    enum { HEADS = 4, PATHS = 16 }; /* 64 nodes */
    for (size_t i = 0; i < G_N_ELEMENTS(medusas); i++) {
        if (!g_str_equal(medusas[i].id, id))
            continue;
        s->tokens = HEADS;
        s->candidates = PATHS;
        s->draft_fraction = medusas[i].draft_fraction;
        s->acceptance = acceptance_of(s, medusas[i].tokens);
        scen_row_assume(w, "%g tokens an iteration (the paper's Table 1)", medusas[i].tokens);
    }
}

/* "simulated MTP, 60% acceptance" */
static void mtp(ScenRowWriter *w, const char *words, ScenRowSpeculation *s)
{
    static const double LAYERS = 61.0;
    const char *percent = strchr(words, '%');
    while (percent && percent > words && g_ascii_isdigit(percent[-1]))
        percent--;
    if (!strstr(words, "MTP") || !percent)
        return;
    s->tokens = 1;
    s->draft_fraction = 1.0 / LAYERS;
    s->acceptance = 0.01 * g_ascii_strtod(percent, NULL);
    scen_row_assume(w, "one token of MTP, %g of them accepted", s->acceptance);
}

void scen_row_speculation(ScenRowWriter *w, ScenRowSpeculation *speculation)
{
    *speculation = (ScenRowSpeculation){0};
    const char *id = scen_row_text(w->row, "id", "", &w->fault);
    const char *words = scen_row_text(w->row, "spec_decode", "none", &w->fault);
    if (g_str_equal(id, "deepseek-profile/decode"))
        words = "MTP, 60% as the rate and the trace imply";
    if (g_str_has_prefix(words, "none"))
        return;
    if (g_str_has_prefix(id, "leviathan2022/"))
        leviathan(w, words, speculation);
    else if (g_str_has_prefix(id, "chen2023/"))
        chen(w, speculation);
    else if (g_str_has_prefix(id, "medusa/"))
        medusa(w, id, speculation);
    else
        mtp(w, words, speculation);
    if (speculation->tokens < 1 || speculation->acceptance <= 0.0)
        scen_row_refuse(w, no_acceptance, words);
}

void scen_row_put_speculation(ScenRowWriter *w, const ScenRowSpeculation *s)
{
    if (s->tokens < 1)
        return;
    scen_row_put(w,
                 "  speculation:\n    tokens: %" G_GINT64_FORMAT
                 "\n    acceptance: %.9g\n    draft_fraction: %.9g\n",
                 s->tokens, s->acceptance, s->draft_fraction);
    if (s->candidates > 1)
        scen_row_put(w, "    candidates: %" G_GINT64_FORMAT "\n", s->candidates);
}
