/* Loading whole scenarios against small catalogs of their own: sections by name, in full and
 * refined; overrides; Hugging Face configurations; and each rule across fields. */
#include "scen_check.h"
#include "scen_errors.h"
#include "scen_load.h"
#include "scen_named.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

static const char models[] =
    "tiny: {source: paper, layers: 8, hidden: 64, heads: 8, vocab: 100,"
    " max_sequence: 32}\n"
    "tiny-gqa: {base: tiny, kv_heads: 2, position: rotary, bias: qkv}\n"
    "round-a: {base: round-b}\n"
    "round-b: {base: round-a}\n"
    "odd: {layers: 8, hidden: 65, heads: 8}\n"
    "moe: {base: tiny, experts: 8, experts_per_token: 2, expert_ffn: 64}\n";

static const char gpus[] = "a100:\n"
                           "  source: datasheet\n"
                           "  memory: 80 GiB\n"
                           "  memory_bandwidth: 2.039 TB/s\n"
                           "  peak: {bf16: 312 TFLOP/s, fp16: 312 TFLOP/s}\n"
                           "  multiprocessors: 108\n"
                           "  boost_clock: 1410 MHz\n"
                           "h100: {base: a100, peak: {fp8: 1979 TFLOP/s}}\n";

static const char nodes[] = "box:\n"
                            "  source: guide\n"
                            "  gpu: a100\n"
                            "  gpus: 8\n"
                            "  scale_up: nvswitch\n"
                            "  scale_up_bandwidth: 300 GB/s\n"
                            "  scale_up_latency: 1 us\n"
                            "  nics: 8\n"
                            "  nic_bandwidth: 200 Gbps\n"
                            "  nic_latency: 5 us\n";

static const char clusters[] = "pair: {node: box, nodes: 2}\n";

static const char protocols[] =
    "nvlink: &w {all_reduce: {simple: &s {base_latency: 9 us, hop_latency: 1 us, fraction: 0.7}},"
    " all_gather: {simple: *s}, reduce_scatter: {simple: *s}, all_to_all: {simple: *s}}\nrdma: "
    "*w\n";

static const char profiles[] =
    "datasheet:\n"
    "  grade: datasheet\n"
    "  gemm:\n"
    "    bf16: {compute_fraction: 0.9, feed_bytes_per_clock: 60, step: 50 ns,\n"
    "           prologue: 0.5 us, epilogue: 1 us, wave_quantisation: 0.5,\n"
    "           memory_fraction: 0.9, overlap_loss: 0.1, launch: 2 us, rows: 1,\n"
    "           median_error: 0.1, p90_error: 0.2}\n"
    "  attention: {forward_fraction: 0.7, backward_fraction: 0.6, head_dim_half: 10,\n"
    "              sequence_half: 100, launch: 2 us, rows: 1, median_error: 0.1, p90_error: 0.2}\n"
    "  memory: {fraction: 0.9, half_size: 1 MB, launch: 2 us}\n"
    "  sustained_clock: 0.9\n"
    "  sustained_clock_source: nobody\n";

static const char plans[] = "plain: {tensor: 2, pipeline: 2, global_batch: 16}\n";

static const char uncertainty[] =
    "default: {matrix_products: 0.01, fused_attention: 0.02, memory_passes: 0.03,\n"
    "          scale_up_communication: 0.04, scale_out_communication: 0.05, host: 0.06,\n"
    "          schedule: 0.07, software: 0.08, guess: 0.09,\n"
    "          widen: {measured: 0.5, interpolated: 0.75, fitted: 1, extrapolated: 1.5, datasheet: "
    "2}}\n";

static const char base[] = "model: tiny\n"
                           "cluster: pair\n"
                           "plan: {tensor: 2, pipeline: 2, global_batch: 16}\n";

static char *data_dir(void)
{
    const char *const files[][2] = {
        {"models/catalog/tiny.yaml",            models     },
        {"strategies/catalog/uncertainty.yaml", uncertainty},
        {"topology/catalog/gpus.yaml",          gpus       },
        {"topology/catalog/nodes.yaml",         nodes      },
        {"topology/catalog/clusters.yaml",      clusters   },
        {"strategies/catalog/plans.yaml",       plans      },
        {"topology/catalog/protocols.yaml",     protocols  },
        {"kernels/profiles/rough.yaml",         profiles   },
    };
    char *folder = g_dir_make_tmp("scen-load-XXXXXX", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i][0], NULL);
        g_autofree char *dir = g_path_get_dirname(path);
        cr_assert_eq(g_mkdir_with_parents(dir, 0700), 0);
        cr_assert(g_file_set_contents(path, files[i][1], -1, NULL));
    }
    return folder;
}

/** Removes @folder and what is in it. */
static void remove_tree(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        remove_tree(path);
    }
    g_remove(folder);
}

typedef struct Load {
    char *folder;
    ScenScenario *scenario;
    char *message; /* NULL: no errors */
    int code;
} Load;

/** Loads @text with at most one override, as the file "s.yaml" of the data folder. */
static Load load(const char *text, const char *override)
{
    Load result = {.folder = data_dir()};
    const char *overrides[] = {override, NULL};
    ScenLoadOptions options = {.overrides = overrides, .data_dir = result.folder};
    g_autoptr(GError) error = NULL;
    result.scenario = scen_scenario_parse("s.yaml", text, strlen(text), &options, &error);
    if (error) {
        result.message = g_strdup(error->message);
        result.code = error->code;
    }
    return result;
}

static void clear(Load *result)
{
    remove_tree(result->folder);
    g_free(result->folder);
    g_free(result->message);
    scen_scenario_free(result->scenario);
}

Test(scen_load, names_become_structs_with_defaults_and_derived_sizes)
{
    Load result = load(base, NULL);
    const ScenScenario *s = result.scenario;
    cr_assert_not_null(s, "%s", result.message);
    cr_expect_str_eq(s->name, "s");
    cr_expect_eq(s->seed, 1);
    cr_expect(s->fold);
    cr_expect_str_eq(s->model.name, "tiny");
    cr_expect_str_eq(s->model.source, "paper");
    cr_expect_eq(s->model.head_dim, 8);
    cr_expect_eq(s->model.kv_heads, 8);
    cr_expect_eq(s->model.ffn, 256);
    cr_expect(s->model.linear_bias && !s->model.qkv_bias);
    cr_expect_str_eq(s->cluster.name, "pair");
    cr_expect_eq(s->cluster.gpu_count, 16);
    cr_expect_str_eq(s->cluster.node.gpu.name, "a100");
    cr_expect_eq(s->cluster.node.nic_bytes_per_s, 25e9);
    cr_expect_eq(s->cluster.node.scale_up_gpus, 8);
    cr_expect_str_eq(s->plan.name, "inline");
    cr_expect_eq(s->plan.data, 4);
    cr_expect_eq(s->plan.sequence_length, 32);
    cr_expect_eq(s->plan.gradients, TOPO_DTYPE_FP32);
    cr_expect_str_eq(s->plan.schedule, "1f1b");
    clear(&result);
}

Test(scen_load, rows_can_be_refined_at_any_depth)
{
    Load result = load("model: {base: tiny-gqa, layers: 4}\n"
                       "cluster: {base: pair, node: {gpus: 4, gpu: {base: h100}}, gpus: 8}\n"
                       "plan: {base: plain, overlap: {data: true}}\n",
                       NULL);
    const ScenScenario *s = result.scenario;
    cr_assert_not_null(s, "%s", result.message);
    cr_expect_str_eq(s->model.name, "tiny-gqa (changed)");
    cr_expect_eq(s->model.layers, 4);
    cr_expect_eq(s->model.kv_heads, 2);
    cr_expect(s->model.qkv_bias && !s->model.linear_bias);
    cr_expect_str_eq(s->cluster.node.name, "box (changed)");
    cr_expect_eq(s->cluster.node.gpus, 4);
    cr_expect_eq(s->cluster.node.nics, 8);
    cr_expect_str_eq(s->cluster.node.gpu.name, "h100");
    cr_expect_eq(s->cluster.node.gpu.peak_flop_per_s[TOPO_DTYPE_FP8], 1979e12);
    cr_expect_eq(s->cluster.node.gpu.peak_flop_per_s[TOPO_DTYPE_BF16], 312e12);
    cr_expect(s->plan.overlap_data && !s->plan.overlap_tensor);
    cr_expect_eq(s->plan.tensor, 2);
    clear(&result);
}

static const struct {
    const char *override;
    const char *want; /* the message, or its start; NULL: loads */
} overrides[] = {
    {"plan.tensor=4",                           NULL                                                                        },
    {"cluster.node.gpu=h100",                   NULL                                                                        },
    {"cluster.node.gpu.power=300 W",            NULL                                                                        },
    {"plan.overlap={data: true, tensor: true}", NULL                                                                        },
    {"description=a text: with a colon",        "--set description=a text: with a colon: 'description'"                     },
    {"plan.tensr=4",                            "--set plan.tensr=4: unknown key 'tensr' in plan, did you mean 'tensor'?"   },
    {"plan.tensor=3",                           "--set plan.tensor=3: tensor 3 x context 1 x pipeline 2 = 6 does not divide"},
    {"plan",                                    "--set plan: an override is KEY=VALUE, with dots between keys"              },
    {"=3",                                      "--set =3: an override is KEY=VALUE"                                        },
    {"plan..tensor=3",                          "--set plan..tensor=3: an override is KEY=VALUE"                            },
    {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",     "--set a.a.a.a"                                                             },
    {"plan.tensor.x=3",                         "--set plan.tensor.x=3: there is no key 'x' to set in '2'"                  },
    {"plan.tensor=",                            "--set plan.tensor=: the document is empty"                                 },
    {"plan.tensor=[1",                          "--set plan.tensor=[1: did not find expected"                               },
    {"plan.tensor=\xff",                        "--set plan.tensor=\\xff: an override is KEY=VALUE"                         },
    {"model=tinny",                             "--set model=tinny: unknown model 'tinny', did you mean 'tiny'? Known: tiny, "
                    "tiny-gqa, round-a, round-b, odd, moe"                                               },
    {"model={base: nope, layers: 2}",           "--set model={base: nope, layers: 2}: unknown model 'nope'"                 },
};

Test(scen_load, errors_that_are_written_out_change_the_default_ones)
{
    Load result = load(base, "uncertainty.host=0.5");
    cr_assert_not_null(result.scenario, "%s", result.message);
    const StratErrors *errors = &result.scenario->errors;
    cr_expect_float_eq(errors->kind[STRAT_KIND_HOST], 0.5, 1e-12);
    cr_expect_float_eq(errors->kind[STRAT_KIND_SCHEDULE], 0.07, 1e-12);
    cr_expect_float_eq(errors->widen[KERN_EVIDENCE_DATASHEET], 2.0, 1e-12);
    clear(&result);
}

Test(scen_load, overrides_obey_the_tables)
{
    for (size_t i = 0; i < G_N_ELEMENTS(overrides); i++) {
        Load result = load(base, overrides[i].override);
        if (!overrides[i].want)
            cr_expect_not_null(result.scenario, "%s", result.message);
        else
            cr_expect(g_str_has_prefix(result.message ? result.message : "", overrides[i].want),
                      "%s: %s\n", overrides[i].override, result.message);
        clear(&result);
    }
}

Test(scen_load, an_override_leaves_aliased_maps_alone)
{
    Load result =
        load("model: tiny\n"
             "cluster: pair\n"
             "plan: {tensor: 2, pipeline: 2, global_batch: 16, overlap: &o {data: true}}\n"
             "expect: {step_time: 1 s}\n",
             "plan.overlap.tensor=true");
    cr_assert_not_null(result.scenario, "%s", result.message);
    cr_expect(result.scenario->plan.overlap_data && result.scenario->plan.overlap_tensor);
    cr_expect_eq(result.scenario->expect.step_time_s, 1.0);
    clear(&result);
}

/** A change to the base scenario that breaks one rule, and what is said about it. */
static const struct {
    const char *override;
    const char *want;
} rules[] = {
    {"plan.data=3",                                                                             "tensor 2 x context 1 x pipeline 2 x data 3 = 12, but the cluster has 16 GPUs"},
    {"plan.tensor=32",                                                                          "tensor 32 x context 1 x pipeline 2 = 64 does not divide the cluster's 16"    },
    {"plan.global_batch=18",                                                                    "global_batch 18 is not a multiple of micro_batch 1 x data 4 = 4"             },
    {"model.heads=1",                                                                           "tensor 2 does not divide the model's 1 heads"                                },
    {"model={base: tiny, heads: 12, head_dim: 8, kv_heads: 3}",
     "tensor 2 and the model's 3 kv_heads: neither divides the other"                                                                                                         },
    {"model.kv_heads=3",                                                                        "kv_heads 3 does not divide heads 8"                                          },
    {"model.ffn=257",                                                                           "tensor 2 does not divide the model's ffn 257"                                },
    {"model=odd",                                                                               "8 heads do not divide hidden 65: say head_dim"                               },
    {"model.layers=1",                                                                          "1 layers do not split over pipeline 2 x virtual_stages 1 = 2 chunks"         },
    {"plan.virtual_stages=3",                                                                   "8 layers do not split over pipeline 2 x virtual_stages 3 = 6"                },
    {"plan={tensor: 2, pipeline: 2, virtual_stages: 2, schedule: 1f1b, global_batch: 16}",
     "virtual_stages 2 needs schedule interleaved-1f1b, not 1f1b"                                                                                                             },
    {"plan={virtual_stages: 2, schedule: interleaved-1f1b, global_batch: 16}",
     "virtual_stages 2 needs a pipeline of 2 or more"                                                                                                                         },
    {"plan={tensor: 2, pipeline: 2, virtual_stages: 2, global_batch: 12}",
     "virtual stages need microbatches in multiples of pipeline 2, not 3"                                                                                                     },
    {"plan.schedule=interleaved-1f1b",                                                          "schedule interleaved-1f1b needs virtual_stages of 2"                         },
    {"plan.schedule=none",                                                                      "schedule none is for pipeline 1, not 2"                                      },
    {"plan.schedule=1f1",
     "'schedule' must be one of none, gpipe, 1f1b, interleaved-1f1b, breadth-first, "
     "zb-h1, zb-h2, zb-1p, zb-2p, zb-v, dualpipe, dualpipe-v, not '1f1', did you mean '1f1b'?"                                                                                },
    {"plan={tensor: 2, sequence_parallel: true, sequence_length: 31, global_batch: 16}",
     "sequence_length 31 does not split over context 2 x tensor (sequence_parallel)"                                                                                          },
    {"plan={context: 4, sequence_length: 30, global_batch: 16}",
     "sequence_length 30 does not split over context 4"                                                                                                                       },
    {"plan.sequence_length=64",                                                                 "sequence_length 64 exceeds the model's table of 32 learned"                  },
    {"model.max_sequence=0",                                                                    "missing key 'sequence_length' in plan"                                       },
    {"plan={zero_stage: 2, pipeline: 2, pipeline_shards_no_gradients: true, global_batch: 16}",
     "zero_stage 2 with a pipeline of 2: DeepSpeed's pipeline engine refuses it"                                                                                              },
    {"plan={zero_stage: 3, pipeline: 2, pipeline_shards_no_gradients: true, global_batch: 16}",
     "zero_stage 3 with a pipeline of 2: DeepSpeed's pipeline engine refuses it"                                                                                              },
    {"plan={zero_stage: 3, shard: 5, global_batch: 16}",
     "shard 5 does not divide data x context = 16 ranks"                                                                                                                      },
    {"plan={zero_stage: 2, reshard_after_forward: false, global_batch: 16}",
     "reshard_after_forward false needs zero_stage 3: weights are never sharded"                                                                                              },
    {"plan.no_sync=true",                                                                       "no_sync needs zero_stage 2 or 3: zero_stage 0 reduces gradients once"        },
    {"plan.zero_stage=4",                                                                       "'zero_stage' must be a whole number from 0 to 3, not '4'"                    },
    {"model=moe",                                                                               "experts with tensor 2 need sequence_parallel"                                },
    {"plan.expert=2",                                                                           "expert 2: the model has no experts"                                          },
    {"plan.precision=fp8",                                                                      "GPU a100 has no peak for precision fp8, it has: fp16, bf16"                  },
    {"cluster.gpus=17",                                                                         "17 GPUs do not fit 2 nodes of 8"                                             },
    {"cluster={node: box}",                                                                     "missing key 'gpus' or 'nodes': how large is it?"                             },
    {"cluster.node.nics=0",                                                                     "2 nodes without nics cannot talk to each other"                              },
    {"cluster={node: {gpu: a100, gpus: 8, nics: 0}, nodes: 1}",                                 "missing key 'scale_up' (kind of"                                             },
    {"model.layers=100001",                                                                     "'layers' must be a whole number from 1 to 100000, not '100001'"              },
    {"cluster.gpus=1000001",                                                                    "'gpus' must be a whole number from 1 to 1000000, not '1000001'"              },
    {"model={layers: 100000, hidden: 1000000, heads: 100000, max_sequence: 32}",
     "parameters: more than 1e+16 are taken for a mistake"                                                                                                                    },
    {"plan.sequence_length=100000000",                                                          "elements: more than 1e+17 are taken for a mistake"                           },
    {"model=round-a",                                                                           "bases go round: round-a -> round-b -> round-a"                               },
    {"model.bias=some",                                                                         "'bias' must be one of all, qkv, none, not 'some'"                            },
    {"fold=no",                                                                                 "'fold' must be true or false, not 'no'"                                      },
    {"seed=-1",                                                                                 "'seed' must be a whole number from 0 to 9007199254740991, not '-1'"          },
    {"plan=[1]",                                                                                "'plan' must be a catalog name or a map, not a list"                          },
};

Test(scen_load, each_rule_speaks)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        Load result = load(base, rules[i].override);
        const char *message = result.message ? result.message : "";
        cr_expect(strstr(message, rules[i].want), "%s: %s\n", rules[i].override, message);
        clear(&result);
    }
}

Test(scen_load, uneven_layers_and_replicated_key_heads_are_allowed)
{
    const char *allowed[] = {"model.layers=7", "model={base: tiny-gqa, kv_heads: 1}",
                             "model.vocab=101", "plan.schedule=gpipe",
                             "plan={pipeline: 1, schedule: 1f1b, global_batch: 16}"};
    for (size_t i = 0; i < G_N_ELEMENTS(allowed); i++) {
        Load result = load(base, allowed[i]);
        cr_expect_not_null(result.scenario, "%s: %s", allowed[i], result.message);
        clear(&result);
    }
}

Test(scen_load, faults_of_all_kinds_come_together_with_places)
{
    Load result = load("nme: x\n"
                       "model: tiny\n"
                       "cluster: pair\n"
                       "plan:\n"
                       "  tensor: 3\n"
                       "  tensor: 4\n"
                       "  shard: 3\n"
                       "  recompute: ful\n"
                       "  global_batch: 16\n",
                       "seed=x");
    cr_expect_str_eq(
        result.message,
        "s.yaml:1:1: unknown key 'nme' in scenario, did you mean 'name'? Known: name, description, "
        "seed, network, fold, devices, model, cluster, plan, serve, traffic, search, sweep, cost, "
        "training_run, campaign, queue, replay, execution_trace, faults, fabric, placement, jobs, "
        "kernels, uncertainty, guesses, expect\n"
        "s.yaml:5:3: tensor 3 x context 1 x pipeline 1 = 3 does not divide the cluster's 16 GPUs\n"
        "s.yaml:5:3: tensor 3 does not divide the model's 8 heads\n"
        "s.yaml:5:3: tensor 3 does not divide the model's ffn 256\n"
        "s.yaml:6:3: duplicate key 'tensor', first at line 5, column 3\n"
        "s.yaml:7:3: shard 3 needs zero_stage 1 or more: nothing is sharded\n"
        "s.yaml:8:14: 'recompute' must be one of none, selective, full, per-op, not 'ful', did you "
        "mean 'full'?\n"
        "--set seed=x: 'seed' must be a whole number from 0 to 9007199254740991, not 'x'",
        "%s\n", result.message);
    cr_expect_eq(result.code, SCEN_ERROR_WRONG);
    clear(&result);
}

Test(scen_load, a_fault_in_a_named_plan_is_placed_where_it_is_named)
{
    Load result = load("model: tiny\ncluster: pair\nplan: plain\n", "cluster.gpus=10");
    cr_expect_str_eq(result.message, "s.yaml:3:1: tensor 2 x context 1 x pipeline 2 = 4 does not "
                                     "divide the cluster's 10 GPUs");
    clear(&result);
}

static void add_name(const char *name, const char *source, void *data)
{
    g_string_append_printf(data, "%s (%s) ", name, source);
}

Test(scen_load, a_missing_catalog_is_the_installations_fault)
{
    ScenLoadOptions options = {.data_dir = "/nonexistent"};
    g_autoptr(GError) error = NULL;
    const char text[] = "model: tiny\ncluster: {node: {gpu: {}}}\nplan: {}\n";
    cr_expect_null(scen_scenario_parse("s.yaml", text, strlen(text), &options, &error));
    cr_expect(strstr(error->message, "/nonexistent/models/catalog: the catalog cannot be opened"),
              "%s", error->message);
    g_autoptr(GError) other = NULL;
    cr_expect(!scen_named_foreach(SCEN_CATALOG_GPU, "/nonexistent", add_name, NULL, &other));
    cr_expect(g_error_matches(other, SCEN_ERROR, SCEN_ERROR_DATA));
    cr_expect_str_eq(other->message, "/nonexistent/topology/catalog/gpus.yaml: cannot be opened: "
                                     "No such file or directory");
}

Test(scen_load, catalogs_list_rows_in_file_order_and_fill_structs)
{
    g_autofree char *folder = data_dir();
    g_autoptr(GString) names = g_string_new(NULL);
    cr_assert(scen_named_foreach(SCEN_CATALOG_GPU, folder, add_name, names, NULL));
    cr_expect_str_eq(names->str, "a100 (datasheet) h100 (datasheet) ");
    GStringChunk *strings = g_string_chunk_new(64);
    TopoGpu gpu = {0};
    cr_assert(scen_named_bind(SCEN_CATALOG_GPU, "h100", folder, strings, &gpu, NULL));
    cr_expect_str_eq(gpu.name, "h100");
    cr_expect_str_eq(gpu.source, "datasheet");
    cr_expect_eq(gpu.memory_bytes, 80.0 * 0x1p30);
    g_autoptr(GError) error = NULL;
    cr_expect(!scen_named_bind(SCEN_CATALOG_GPU, "h10", folder, strings, &gpu, &error));
    cr_expect(strstr(error->message, "unknown GPU 'h10', did you mean 'h100'? Known: a100, h100"),
              "%s", error->message);
    g_string_chunk_free(strings);
    remove_tree(folder);
}

Test(scen_load, a_scenario_built_in_memory_meets_the_same_rules)
{
    Load result = load(base, NULL);
    ScenScenario *s = result.scenario;
    cr_assert_not_null(s, "%s", result.message);
    s->plan.data = 0;
    cr_expect(scen_scenario_check(s, NULL));
    cr_expect_eq(s->plan.data, 4);
    s->plan.shard = 3;
    s->plan.tensor = 0;
    s->cluster.node.gpu.memory_bytes = -1.0;
    g_autoptr(GError) error = NULL;
    cr_expect(!scen_scenario_check(s, &error));
    cr_expect_str_eq(error->message,
                     "cluster.node.gpu.memory: must be a size with a unit of B kB MB GB TB PB KiB "
                     "MiB GiB TiB PiB, as in '80 GiB'\n"
                     "plan.shard: shard 3 needs zero_stage 1 or more: nothing is sharded\n"
                     "plan.tensor: must be a whole number from 1 to 65536",
                     "%s\n", error->message);
    ScenScenario empty = {0};
    cr_expect(!scen_scenario_check(&empty, NULL));
    clear(&result);
}

static const struct {
    const char *json;
    const char *want; /* NULL: loads */
} configs[] = {
    {"{\"model_type\": \"llama\", \"num_hidden_layers\": 8, \"hidden_size\": 64, "
     "\"num_attention_heads\": 8, \"num_key_value_heads\": 2, \"intermediate_size\": 224, "
     "\"vocab_size\": 1000, \"max_position_embeddings\": 32, \"rope_scaling\": null}", NULL                                       },
    {"{\"model_type\": \"gpt2\", \"n_layer\": 8, \"n_embd\": 64, \"n_head\": 8, \"n_inner\": null, "
     "\"vocab_size\": 1000, \"n_positions\": 32}",                                     NULL                                       },
    {"{\"model_type\": \"lama\"}",
     "unknown model_type 'lama', did you mean 'llama'? Known: gpt2, "                                                                  },
    {"{}",                                                                                  "no model_type"                            },
    {"{\"model_type\": \"llama\", \"num_hidden_layers\": \"8\"}",
     "'num_hidden_layers' must be a whole number"                                                                                      },
    {"{\"model_type\": \"llama\"}",                                                         "missing key 'layers' (transformer layers)"},
    {"{\"model_type\": \"qwen3_moe\", \"decoder_sparse_step\": 2}",                         "are not modelled"                         },
    {"[]",                                                                                  "a configuration must be a JSON object"    },
    {"{",                                                                                   "config.json:2:1: "                        },
};

Test(scen_load, hugging_face_configurations_are_models)
{
    g_autofree char *folder = data_dir();
    g_autofree char *config = g_build_filename(folder, "config.json", NULL);
    g_autofree char *path = g_build_filename(folder, "s.yaml", NULL);
    const char text[] = "model: {hugging_face: config.json, tied_embeddings: true}\n"
                        "cluster: pair\nplan: plain\n";
    cr_assert(g_file_set_contents(path, text, -1, NULL));
    ScenLoadOptions options = {.data_dir = folder};
    for (size_t i = 0; i < G_N_ELEMENTS(configs); i++) {
        cr_assert(g_file_set_contents(config, configs[i].json, -1, NULL));
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) s = scen_scenario_load_with(path, &options, &error);
        if (configs[i].want)
            cr_expect(error && strstr(error->message, configs[i].want), "%s: %s", configs[i].json,
                      error ? error->message : "loaded");
        else
            cr_expect(s && s->model.layers == 8 && s->model.head_dim == 8, "%s",
                      error ? error->message : configs[i].json);
        if (s)
            cr_expect_eq(s->model.gated_mlp, i == 0);
    }
    g_autofree char *deep = g_strnfill(100000, '[');
    cr_assert(g_file_set_contents(config, deep, -1, NULL));
    g_autoptr(GError) error = NULL;
    cr_expect_null(scen_scenario_load_with(path, &options, &error));
    cr_expect(strstr(error->message, "deeper than 64"), "%s", error->message);
    remove_tree(folder);
}

Test(scen_load, a_missing_scenario_is_a_clear_error)
{
    g_autoptr(GError) error = NULL;
    cr_expect_null(scen_scenario_load("/nonexistent/x.yaml", NULL, &error));
    cr_expect_str_eq(error->message,
                     "/nonexistent/x.yaml: cannot be opened: No such file or directory");
    g_autoptr(GError) list = NULL;
    ScenLoadOptions options = {.data_dir = "/nonexistent"};
    cr_expect_null(scen_scenario_parse("s", "[1]", 3, &options, &list));
    cr_expect_str_eq(list->message,
                     "s:1:1: a scenario must be a map with model, cluster, and plan or serve");
}
