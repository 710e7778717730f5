/* Placements and further jobs of a scenario: what they become, and what is said of wrong ones. */
#include "scen_load.h"

#include <criterion/criterion.h>
#include <string.h>

static const char base[] = "model: gpt2-124m\n"
                           "cluster: {node: dgx-h100, nodes: 2}\n"
                           "plan: {tensor: 2, pipeline: 2, global_batch: 16}\n";

static const char shared[] =
    "model: gpt2-124m\n"
    "cluster: {node: dgx-h100, nodes: 4, gpus: 16}\n"
    "plan: {tensor: 2, pipeline: 2, global_batch: 16}\n"
    "placement: {kind: custom, nodes: [2, 0]}\n"
    "jobs:\n"
    "- {name: rest, model: llama-2-7b, gpus: 8, plan: {tensor: 2, global_batch: 8}}\n"
    "- {name: last, model: gpt2-124m, plan: {data: 4, global_batch: 8}, placement: rail-aligned}\n";

/* @text with one override; NULL and @error when it is wrong. */
static ScenScenario *load(const char *text, const char *override, GError **error)
{
    const char *overrides[] = {override, NULL};
    ScenLoadOptions options = {.overrides = overrides};
    return scen_scenario_parse("s.yaml", text, strlen(text), &options, error);
}

static ScenScenario *load_sound(const char *text, const char *override)
{
    g_autoptr(GError) error = NULL;
    ScenScenario *scenario = load(text, override, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    return scenario;
}

Test(scen_jobs, a_placement_becomes_the_gpu_of_every_rank)
{
    g_autoptr(ScenScenario) packed = load_sound(base, "placement=packed");
    g_autoptr(ScenScenario) rails = load_sound(base, "placement=rail-aligned");
    g_autoptr(ScenScenario) nodes = load_sound(base, "placement={kind: custom, nodes: [1, 0]}");
    cr_expect_null(packed->gpu_of_rank, "the identity needs no list");
    cr_expect_eq(rails->gpu_of_rank[1], 8);
    cr_expect_eq(rails->gpu_of_rank[2], 1);
    cr_expect_eq(nodes->gpu_of_rank[0], 8);
    cr_expect_eq(nodes->gpu_of_rank[15], 7);
}

Test(scen_jobs, further_jobs_take_what_is_free)
{
    g_autoptr(ScenScenario) scenario = load_sound(shared, NULL);
    const GArray *jobs = scenario->jobs;
    cr_assert(jobs && jobs->len == 2);
    const ScenJob *rest = &g_array_index(jobs, ScenJob, 0);
    const ScenJob *last = &g_array_index(jobs, ScenJob, 1);
    cr_expect_str_eq(rest->name, "rest");
    cr_expect_eq(rest->plan.data, 4);
    cr_expect_eq(rest->plan.sequence_length, 4096, "the model's own");
    cr_expect_eq(rest->gpu_of_rank[0], 8, "nodes 2 and 0 are taken");
    cr_expect_eq(rest->gpu_of_rank[7], 15);
    cr_expect_eq(last->gpus, 4);
    cr_expect_eq(last->gpu_of_rank[0], 24);
    cr_expect_eq(last->gpu_of_rank[3], 27);
}

#define JOB "jobs=[{name: x, model: gpt2-124m, plan: {tensor: 2, global_batch: 8}"

static const struct {
    const char *text, *override, *want;
} faults[] = {
    {base,   "placement=scattered",
     "'placement' must be packed, spread, rail-aligned, or a map {kind: custom, gpus: [...]}, not "
     "'scattered'"                                                                                                                                               },
    {base,   "placement=custom",                                                               "'placement' must be packed, spread, rail-aligned"                },
    {base,   "placement={kind: custom}",                                                       "a custom placement needs gpus or nodes, one of them"             },
    {base,   "placement={kind: custom, gpus: [1.5]}",                                          "a list of whole numbers, not 1.5"                                },
    {base,   "placement={kind: custom, gpus: [0, 1]}",                                         "lists 2, but the job's 16 ranks need 16"                         },
    {base,   "placement={kind: custom, nodes: [1, 1]}",                                        "placement.nodes lists 1 twice"                                   },
    {base,   "placement={kind: custom, nodes: [0, 2]}",                                        "2 is not one of the cluster's, 0 to 1"                           },
    {base,   "placement={kind: spread, nodes: [0, 1]}",                                        "placement spread chooses its GPUs itself"                        },
    {base,   "placement={kind: sprd}",                                                         "unknown placement 'sprd', known: packed spread rail-aligned"     },
    {base,   JOB "}]",                                                                         "job 'x' needs gpus, or data in its plan"                         },
    {base,   JOB ", gpus: 4}]",                                                                "job 'x': 4 ranks do not fit the 0 free GPUs of 16 (cluster.nodes"},
    {base,   JOB ", gpus: 3}]",
     "job 'x': plan.tensor: tensor 2 x context 1 x pipeline 1 = 2 does not divide the cluster's 3"                                                               },
    {base,   JOB ", gpus: 64}]",                                                               "job 'x' is larger than the cluster's 16 GPUs"                    },
    {base,   "jobs=[{name: x, model: gpt2-124m}]",                                             "missing key 'plan' (how the work is laid out)"                   },
    {base,   "jobs=[{model: gpt2-124m, plan: {global_batch: 8}}]",                             "missing key 'name'"                                              },
    {base,   JOB ", gpus: 4, placement: nowhere}]",                                            "'placement' must be packed, spread"                              },
    {base,   JOB ", gpus: 2}, {name: x, model: gpt2-124m, gpus: 2, plan: {global_batch: 8}}]",
     "there are two jobs 'x'"                                                                                                                                    },
    {base,   "jobs=many",                                                                      "'jobs' must be a list of maps, not 'many'"                       },
    {shared,
     "jobs=[{name: x, model: gpt2-124m, plan: {data: 8, global_batch: 8}, placement: {kind: "
     "custom, nodes: [2]}}]",                                                                  "job 'x': placement: GPU 16 (node 2) is taken by another job"     },
};

Test(scen_jobs, what_is_wrong_is_said)
{
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) scenario = load(faults[i].text, faults[i].override, &error);
        const char *message = error ? error->message : "";
        cr_expect(!scenario && strstr(message, faults[i].want), "%s: %s", faults[i].override,
                  message);
    }
}

Test(scen_jobs, faults_of_a_job_are_placed_at_it)
{
    g_autofree char *text = g_strconcat(
        base,
        "jobs:\n- name: x\n  model: gpt2-124m\n  gpus: 2\n  plan: {tensor: 5, global_batch: 1}\n",
        NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = load(text, "seed=2", &error);
    cr_expect(!scenario && g_str_has_prefix(error->message, "s.yaml:5:3: job 'x': plan.tensor: "),
              "%s", error ? error->message : "");
}
