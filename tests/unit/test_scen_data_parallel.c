/* Data parallelism as a scenario writes it: what is bound, and every combination that is refused.
 */
#include "scen_load.h"

#include <criterion/criterion.h>

static const char head[] = "model: {base: llama-2-7b, layers: 8}\n"
                           "cluster: {node: dgx-a100-80gb, gpus: 16}\n";

static ScenScenario *load(const char *plan, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "%splan: {base: pytorch-ddp, global_batch: 64, sequence_length: 1024, %s}\n", head, plan);
    ScenLoadOptions options = {.data_dir = TEST_SOURCE_DIR};
    return scen_scenario_parse("test.yaml", text, strlen(text), &options, error);
}

Test(scen_data_parallel, knobs_are_bound)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) s =
        load("data_parallel: {exchange: parameter-server, bucket: 25 MB, first_bucket: 1 MB, "
             "servers: {count: 2, bandwidth: 100 Gbps, local_reduce: true}}",
             &error);
    cr_assert(s, "%s", error ? error->message : "");
    const StratDataParallel *dp = &s->plan.data_parallel;
    cr_expect_str_eq(dp->exchange, "parameter-server");
    cr_expect_float_eq(dp->buckets.bytes, 25e6, 1e-6);
    cr_expect_float_eq(dp->buckets.first_bytes, 1e6, 1e-6);
    cr_expect_eq(dp->servers.count, 2);
    cr_expect_float_eq(dp->servers.bytes_per_s, 12.5e9, 1.0);
    cr_expect(dp->servers.local_reduce && !dp->servers.unbounded);
}

Test(scen_data_parallel, islands_default_to_one_fragment)
{
    g_autoptr(ScenScenario) s =
        load("data_parallel: {islands: {count: 2, inner_steps: 50, bandwidth: 1 Gbps}}", NULL);
    cr_assert(s);
    cr_expect_eq(s->plan.data_parallel.islands.fragments, 1);
    cr_expect_eq(s->plan.data_parallel.islands.outer, TOPO_DTYPE_FP32);
}

static const struct {
    const char *plan, *message;
} refused[] = {
    {"data_parallel: {exchange: rumour}",
     "unknown exchange 'rumour', known: all-reduce gossip-one"                                                                                          },
    {"data_parallel: {compression: {kind: zip}}",                                              "unknown compression 'zip', known: none fp16"            },
    {"data_parallel: {first_bucket: 1 MB}",                                                    "first_bucket needs bucket"                              },
    {"data_parallel: {bucket: 1 MB, bucket_parameters: 1e6}",                                  "keep one"                                               },
    {"overlap: {data: false}, data_parallel: {bucket: 1 MB}",                                  "bucket needs overlap.data"                              },
    {"zero_stage: 3, data_parallel: {bucket: 1 MB}",                                           "bucket with zero_stage 3"                               },
    {"zero_stage: 2, data_parallel: {bucket_copies: true}",                                    "bucket_copies needs whole gradients"                    },
    {"data_parallel: {compression: {kind: top-k}}",                                            "top-k needs density"                                    },
    {"data_parallel: {compression: {kind: fp16, density: 0.1}}",                               "density is of compression top-k"                        },
    {"data_parallel: {compression: {kind: powersgd}}",                                         "powersgd needs rank"                                    },
    {"data_parallel: {compression: {kind: fp16, rank: 4}}",                                    "rank is of powersgd"                                    },
    {"data_parallel: {exchange: gossip-one, compression: {kind: top-k, density: 0.1}}",
     "all-gathered: it goes with exchange all-reduce alone"                                                                                             },
    {"zero_stage: 1, data_parallel: {compression: {kind: fp16}}",
     "fp16 with zero_stage 1: it needs whole gradients"                                                                                                 },
    {"zero_stage: 1, data_parallel: {exchange: gossip-ring}",                                  "gossip-ring with zero_stage 1"                          },
    {"optimizer: none, data_parallel: {exchange: gossip-ring}",
     "without an optimizer: gradients are not exchanged"                                                                                                },
    {"data_parallel: {servers: {count: 2}}",                                                   "servers are of exchange parameter-server"               },
    {"data_parallel: {exchange: parameter-server}",                                            "needs servers.count"                                    },
    {"data_parallel: {exchange: parameter-server, servers: {count: 3, colocated: true}}",
     "more than the cluster's 2 nodes"                                                                                                                  },
    {"data_parallel: {exchange: parameter-server, servers: {count: 2, colocated: true, "
     "bandwidth: 1 Gbps}}",                                                               "colocated servers have the nodes' NICs"                 },
    {"data_parallel: {exchange: parameter-server, servers: {count: 2, unbounded: true, "
     "staleness: 2}}",                                                                    "exclude each other"                                     },
    {"data_parallel: {exchange: parameter-server, servers: {count: 2, updates: 5}}",
     "must be 10 or more"                                                                                                                               },
    {"data_parallel: {exchange: parameter-server, servers: {count: 2, unbounded: true, "
     "pipelined: true}}",                                                                 "where workers are synchronous and alike"                },
    {"data_parallel: {islands: {count: 3, inner_steps: 10, bandwidth: 1 Gbps}}",
     "islands.count 3 does not divide data 16"                                                                                                          },
    {"data_parallel: {islands: {count: 2}}",                                                   "islands need inner_steps and bandwidth"                 },
    {"data_parallel: {islands: {inner_steps: 10}}",                                            "islands need a count of 2 or more"                      },
    {"data_parallel: {islands: {count: 2, inner_steps: 10, fragments: 9, bandwidth: 1 Gbps}}",
     "fragments 9 is more than the model's 8 layers"                                                                                                    },
    {"data_parallel: {islands: {count: 2, inner_steps: 10, hidden_steps: 11, bandwidth: 1 "
     "Gbps}}",                                                                            "hidden_steps 11 is more than inner_steps 10"            },
    {"data_parallel: {exchange: parameter-server, servers: {count: 1}, islands: {count: 2, "
     "inner_steps: 10, bandwidth: 1 Gbps}}",                                              "islands and parameter servers are not modelled together"},
    {"pipeline: 4, virtual_stages: 2, schedule: dualpipe, data_parallel: {bucket: 1 MB}",
     "the model is there twice"                                                                                                                         },
    {"data_parallel: {islands: {coun: 2}}",                                                    "did you mean 'count'"                                   },
};

Test(scen_data_parallel, nonsense_is_refused_with_the_reason)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) s = load(refused[i].plan, &error);
        cr_expect(!s && strstr(error->message, refused[i].message), "%s: %s", refused[i].plan,
                  error ? error->message : "loaded");
    }
}

static ScenScenario *load_run(const char *run, GError **error)
{
    g_autofree char *text =
        g_strdup_printf("%splan: {base: pytorch-ddp, global_batch: 64, sequence_length: 1024}\n"
                        "training_run: %s\n",
                        head, run);
    ScenLoadOptions options = {.data_dir = TEST_SOURCE_DIR};
    return scen_scenario_parse("test.yaml", text, strlen(text), &options, error);
}

Test(scen_data_parallel, a_training_run_says_what_its_law_reads)
{
    static const struct {
        const char *run, *message;
    } cases[] = {
        {"{tokens: 1e12, critical_batch: {law: zhang-2024}}",          NULL                                    },
        {"{tokens: 1e12, critical_batch: {law: given, tokens: 4e6}}",  NULL                                    },
        {"{tokens: 1e12, critical_batch: {law: given}}",               "critical_batch.tokens is needed by law"},
        {"{tokens: 1e12, critical_batch: {law: kaplan-2020}}",
         "critical_batch.loss is needed by law"                                                                },
        {"{tokens: 1e12, critical_batch: {law: zhang-2024, loss: 2}}",
         "loss is not read by law zhang-2024"                                                                  },
        {"{tokens: 1e12, critical_batch: {law: moore}}",               "unknown law of the critical batch"     },
        {"{critical_batch: {law: zhang-2024}}",                        "missing key 'tokens'"                  },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) s = load_run(cases[i].run, &error);
        if (!cases[i].message)
            cr_expect(s, "%s: %s", cases[i].run, error ? error->message : "");
        else
            cr_expect(!s && strstr(error->message, cases[i].message), "%s: %s", cases[i].run,
                      error ? error->message : "loaded");
    }
}
