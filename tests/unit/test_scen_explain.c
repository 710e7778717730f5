/* No figure without an explanation: shipped scenarios of every kind are run, and each number of their
 * JSON must have a row; so must each bucket of the ledgers. */
#include "scen_answer.h"
#include "scen_explain.h"
#include "scen_leaves.h"
#include "scen_scenario.h"
#include "strat_batch.h"
#include "strat_bucket.h"
#include "strat_progress.h"
#include "strat_queue.h"

#include <criterion/criterion.h>

/* Checks the numbers of @json, that are @least or more; returns how many have no row. */
static guint check(const char *what, const char *json, guint least)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) leaves = scen_leaves_of(json, &error);
    cr_assert(leaves, "%s: %s", what, error->message);
    cr_expect(leaves->len >= least, "%s: %u figures", what, leaves->len);
    guint unknown = 0;
    for (guint i = 0; i < leaves->len; i++) {
        const char *path = g_array_index(leaves, ScenLeaf, i).path;
        const ScenExplained *row = scen_explain_find(path, NULL, NULL);
        unknown += !row;
        if (!row)
            g_print("%s: no explanation of %s (scenarios/reports/explain)\n", what, path);
    }
    return unknown;
}

static const struct {
    const char *path;
    const char *sets[6];
    guint least;
} runs[] = {
    {"quickstart.yaml",                          {NULL},                            80 },
    {"training/diloco-three-continents.yaml",    {NULL},                            80 },
    {"training/servers-ssp.yaml",                {NULL},                            80 },
    {"training/llama-2-7b-large-batch.yaml",     {NULL},                            80 },
    {"training/llama-3-8b-h100-and-a100.yaml",   {NULL},                            80 },
    {"training/llama-3-8b-own-fabric.yaml",      {NULL},                            80 },
    {"training/two-jobs-one-spine.yaml",         {NULL},                            80 },
    {"training/chakra-transformer.yaml",         {NULL},                            60 },
    {"training/zero-offload-10b-v100.yaml",      {NULL},                            80 },
    {"training/queue-on-one-fabric.yaml",        {"queue.replications=2", NULL},    80 },
    {"serving/llama-3.1-70b-poisson.yaml",       {"traffic.requests=200", NULL},    80 },
    {"serving/disaggregated-llama-3.1-70b.yaml", {"traffic.requests=200", NULL},    80 },
    {"serving/speculation-t5.yaml",              {NULL},                            80 },
    {"serving/autoscale-llama-3.1-8b.yaml",      {"traffic.requests=300", NULL},    80 },
    {"failures/serve-llama-3.1-70b.yaml",        {"traffic.requests=300", NULL},    80 },
    {"failures/bloom_failslow.yaml",             {"fold=true", NULL},               80 },
    {"failures/llama-3.1-405b-54-days.yaml",     {"campaign.replications=3", NULL}, 150},
    {"failures/which-recovery.yaml",             {"campaign.replications=2", NULL}, 50 },
    {"failures/gemini_inmem.yaml",               {"campaign.replications=2", NULL}, 50 },
    {"failures/checkpoint_bw.yaml",              {"campaign.replications=2", NULL}, 50 },
    {"failures/hpn_link.yaml",                   {"campaign.replications=2", NULL}, 50 },
    {"failures/straggler_trace_AR.yaml",         {NULL},                            3  },
};

Test(scen_explain, every_figure_of_every_kind_of_answer_is_explained, .timeout = 300)
{
    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, "scenarios", runs[i].path, NULL);
        g_autoptr(GError) error = NULL;
        const char *const *sets = runs[i].sets;
        g_autoptr(ScenScenario) scenario = scen_scenario_load(path, sets, &error);
        cr_assert(scenario, "%s: %s", runs[i].path, error->message);
        const ScenAnswerWants wants = {.json = true, .overrides = sets};
        g_autoptr(ScenAnswer) answer = scen_answer_new(scenario, &wants, &error);
        if (!answer && scenario->replay && !g_file_test(scenario->replay, G_FILE_TEST_EXISTS))
            continue; /* its trace is not shipped */
        cr_assert(answer, "%s: %s", runs[i].path, error->message);
        cr_expect(check(runs[i].path, answer->json, runs[i].least) == 0, "%s", runs[i].path);
    }
}

static void expect_key(const char *prefix, const char *key)
{
    g_autofree char *path = g_strconcat(prefix, key, NULL);
    const ScenExplained *row = scen_explain_find(path, NULL, NULL);
    cr_expect(row && g_str_equal(row->path, path), "%s", path);
}

Test(scen_explain, every_bucket_of_a_ledger_has_its_row)
{
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        expect_key("ledger_gpu_s.", strat_bucket_key((StratBucket)b));
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        expect_key("ledger_gpu_s.", strat_serve_part_name((StratServePart)p));
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        expect_key("campaign.ledger_gpu_s.", strat_lost_key((StratLost)b));
    for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++)
        expect_key("queue.ledger.", strat_queue_spent_key((StratQueueSpent)b));
    for (int e = 0; e < STRAT_QUEUE_ENDS; e++)
        expect_key("queue.runs.", strat_queue_end_key((StratQueueEnd)e));
}

Test(scen_explain, rows_are_in_order)
{
    size_t count = 0;
    const ScenExplainedTable *const *tables = scen_explain_tables(&count);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const ScenExplained *row = &tables[t]->rows[i];
            cr_expect(row->definition, "%s has no definition", row->path);
            cr_expect(scen_explain_find(row->path, NULL, NULL) == row, "%s is there twice",
                      row->path);
        }
}

Test(scen_explain, what_is_no_figure_is_not_explained)
{
    static const char *const nothing[] = {"",
                                          "training",
                                          "training.mfu",
                                          "p90",
                                          "serving.ttft_s.median",
                                          "memory.0",
                                          "ledger_gpu_s.tea",
                                          "campaign.states.met.mean.x"};
    for (size_t i = 0; i < G_N_ELEMENTS(nothing); i++)
        cr_expect(!scen_explain_find(nothing[i], NULL, NULL), "%s", nothing[i]);
    cr_expect(check("made up", "{\"training\": {\"made_up\": 1, \"mfu_fraction\": 0.5}}", 2) == 1);
}
