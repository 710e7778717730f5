/* The table of `serve:`, a deployment.
 *
 * Parallel sizes default to 1 and `replicas` to whatever the GPUs leave. With `prefill:` the
 * prompts have replicas of their own, and the rest decodes. */
#include "scen_fields.h"
#include "scen_serving.h"

static const ScenName weights[] = {
    {"bf16",          STRAT_WEIGHTS_BF16         },
    {"fp16",          STRAT_WEIGHTS_BF16         },
    {"fp32",          STRAT_WEIGHTS_FP32         },
    {"fp8",           STRAT_WEIGHTS_FP8          },
    {"fp8-block",     STRAT_WEIGHTS_FP8_BLOCK    },
    {"int8",          STRAT_WEIGHTS_INT8         },
    {"int4",          STRAT_WEIGHTS_INT4         },
    {"mxfp4",         STRAT_WEIGHTS_MXFP4        },
    {"nvfp4",         STRAT_WEIGHTS_NVFP4        },
    {"nvfp4-experts", STRAT_WEIGHTS_NVFP4_EXPERTS},
    {NULL,            0                          },
};

static const ScenName caches[] = {
    {"bf16", STRAT_KV_16_BIT},
    {"fp16", STRAT_KV_16_BIT},
    {"fp8",  STRAT_KV_FP8   },
    {"int4", STRAT_KV_INT4  },
    {NULL,   0              },
};

#define POOL(key, member, ...)                                                                     \
    SCEN_FIELD(key, StratPool, member, SCEN_INT, .max = 65536, __VA_ARGS__)

static const ScenField prefill_fields[] = {
    POOL("replicas", replicas, .min = 1, .fallback = "1", .help = "that do prompts"),
    POOL("tensor", tensor, .min = 1, .fallback = "1", .help = "GPUs that share each layer"),
    POOL("pipeline", pipeline, .min = 1, .fallback = "1", .help = "stages of layers"),
    POOL("data", data, .min = 1, .fallback = "1",
         .help = "ranks of a replica that each attend for their own sequences"),
    POOL("expert", expert, .min = 1, .fallback = "1",
         .help = "ranks that share the experts out; 1: experts are cut like other matrices"),
};

static const ScenTable prefill_table = {
    .what = "prefill",
    .fields = prefill_fields,
    .count = G_N_ELEMENTS(prefill_fields),
    .size = sizeof(StratPool),
};

#define SPEC(key, member, of_kind, ...) SCEN_FIELD(key, ScenServing, member, of_kind, __VA_ARGS__)

static const ScenField speculation_fields[] = {
    SPEC("tokens", deployment.speculation.tokens, SCEN_INT, .required = true, .min = 1, .max = 64,
         .help = "proposed in a row"),
    SPEC("acceptance", deployment.speculation.acceptance, SCEN_NUMBER, .max = 1.0,
         .help = "of a proposed token, given those before it"),
    SPEC("by_position", by_position, SCEN_NUMBERS, .max = 1.0,
         .help = "the same for the first, the second, ..."),
    SPEC("candidates", deployment.speculation.candidates, SCEN_INT, .min = 1, .max = 1024,
         .help = "paths of a tree that are verified together (default: a chain)"),
    SPEC("draft", draft, SCEN_SECTION, .table = &scen_model_table,
         .help = "model that proposes (default: heads of the model)"),
    SPEC("draft_fraction", deployment.speculation.draft_fraction, SCEN_NUMBER, .max = 1.0,
         .help = "cost of a proposed token over a plain iteration, without a draft model"),
};

static const ScenTable speculation_table = {
    .what = "speculation",
    .fields = speculation_fields,
    .count = G_N_ELEMENTS(speculation_fields),
    .size = sizeof(ScenServing),
};

#define SHARE(key, member, ...)                                                                    \
    SCEN_FIELD(key, StratElsewhere, member, SCEN_NUMBER, .max = 1.0, __VA_ARGS__)

static const ScenField elsewhere_fields[] = {
    SHARE("host", host, .help = "share in host memory (default: 0)"),
    SHARE("disk", disk, .help = "share on disks (default: 0)"),
};

static const ScenTable elsewhere_table = {
    .what = "offload",
    .fields = elsewhere_fields,
    .count = G_N_ELEMENTS(elsewhere_fields),
    .size = sizeof(StratElsewhere),
};

#define OFFLOAD(key, member, of_kind, ...)                                                         \
    SPEC(key, deployment.offload.member, of_kind, __VA_ARGS__)

static const ScenField offload_fields[] = {
    OFFLOAD("weights", weights, SCEN_MAP, .table = &elsewhere_table,
            .help = "where weights live that are not on the GPU"),
    OFFLOAD("cache", cache, SCEN_MAP, .table = &elsewhere_table, .help = "likewise the KV cache"),
    OFFLOAD("activations", activations, SCEN_MAP, .table = &elsewhere_table,
            .help = "likewise what goes from layer to layer"),
    OFFLOAD("gpu_batches", gpu_batches, SCEN_INT, .min = 1, .max = 65536, .fallback = "1",
            .help = "that pass a layer while its weights stay on the GPU"),
    OFFLOAD("host_attention", host_attention, SCEN_BOOL, .fallback = "false",
            .help = "the CPU attends over the cache that is not on the GPU"),
    OFFLOAD("pageable", pageable, SCEN_BOOL, .fallback = "false",
            .help = "weights in host memory are not page-locked"),
};

static const ScenTable offload_table = {
    .what = "offload",
    .fields = offload_fields,
    .count = G_N_ELEMENTS(offload_fields),
    .size = sizeof(ScenServing),
};

#define OBJECTIVE(key, member, ...)                                                                \
    SPEC(key, deployment.member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)

static const ScenField slo_fields[] = {
    OBJECTIVE("ttft", slo_ttft_s, .help = "time to the first token, in s"),
    OBJECTIVE("tpot", slo_tpot_s, .help = "time of each further token, in s"),
    OBJECTIVE("e2e", slo_e2e_s, .help = "time to the last token, in s"),
    SPEC("attainment", slo_attainment, SCEN_NUMBER, .max = 1.0, .fallback = "0.9",
         .help = "share of the requests that must meet all of them (default: 0.9)"),
};

static const ScenTable slo_table = {
    .what = "slo",
    .fields = slo_fields,
    .count = G_N_ELEMENTS(slo_fields),
    .size = sizeof(ScenServing),
};

const ScenName scen_load_link_names[] = {
    {"network", SCEN_LOAD_FROM_NETWORK},
    {"host",    SCEN_LOAD_FROM_HOST   },
    {NULL,      0                     },
};

#define START(key, member, ...)                                                                    \
    SPEC(key, autoscale.member, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S, __VA_ARGS__)

static const ScenField autoscale_fields[] = {
    SPEC("min", autoscale.least, SCEN_INT, .required = true, .min = 1, .max = 65536,
         .help = "replicas that are up at least, and at the start; at most serve.replicas are"),
    SPEC("policy", autoscale.policy, SCEN_TEXT, .fallback = "outstanding",
         .help = "what decides (orrery list scaling; default: outstanding requests a replica)"),
    SPEC("target", autoscale.target, SCEN_NUMBER, .required = true, .min = 1e-6, .max = 1e6,
         .help = "of what the policy measures, the mean over replicas"),
    SPEC("tolerance", autoscale.tolerance_fraction, SCEN_NUMBER, .max = 1.0, .fallback = "0.1",
         .help = "off the target that changes nothing (default: 0.1, as in Kubernetes)"),
    SPEC("check", autoscale.check_s, SCEN_QUANTITY, .dimension = SCEN_TIME_S, .fallback = "15 s",
         .help = "from one look to the next, in s (default: 15 s, as in Kubernetes)"),
    START("cool_down", cool_down_s, .fallback = "300 s",
          .help = "fewer have been enough for so long before one goes, in s (default: 300 s, as in "
                  "Kubernetes)"),
    START("provisioning", provision_s, .required = true, .help = "until a machine is there, in s"),
    START("engine_start", engine_start_s, .required = true,
          .help = "graphs and warm-up once the weights are there, in s"),
    SPEC("weights_from", load_from, SCEN_ENUM, .names = scen_load_link_names, .fallback = "network",
         .help = "the link by which weights come to a GPU: network (default) or host"),
    SPEC("load_bandwidth", load_bytes_per_s, SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S,
         .help = "of weights to each GPU, in bytes/s (default: that of the link)"),
};

static const ScenTable autoscale_table = {
    .what = "autoscale",
    .fields = autoscale_fields,
    .count = G_N_ELEMENTS(autoscale_fields),
    .size = sizeof(ScenServing),
};

static const ScenField admission_fields[] = {
    SPEC("max_queue", admission.max_queue, SCEN_INT, .min = 1, .max = 1e9,
         .help = "requests that may wait at a replica; more are refused"),
    SPEC("max_ttft", admission.max_ttft_s, SCEN_QUANTITY, .dimension = SCEN_TIME_S,
         .help = "predicted time to the first token beyond which a request is refused, in s"),
    SPEC("timeout", admission.timeout_s, SCEN_QUANTITY, .dimension = SCEN_TIME_S,
         .help = "a client gives up when its request has waited so long for an iteration, in s"),
};

static const ScenTable admission_table = {
    .what = "admission",
    .fields = admission_fields,
    .count = G_N_ELEMENTS(admission_fields),
    .size = sizeof(ScenServing),
};

static const ScenName overlaps[] = {
    {"none",   SCEN_OVERLAP_NONE  },
    {"layers", SCEN_OVERLAP_LAYERS},
    {NULL,     0                  },
};

static const ScenField transfer_fields[] = {
    SPEC("bandwidth", transfer_bytes_per_s, SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S,
         .help = "of a replica's caches, one after another, in bytes/s (default: by fabric and "
                 "network, or the NICs of the smaller replica)"),
    SPEC("overlap", overlap, SCEN_ENUM, .names = overlaps, .fallback = "none",
         .help = "layers: each sets out when it is computed; none (default): all when the prompt "
                 "is done"),
};

static const ScenTable transfer_table = {
    .what = "kv_transfer",
    .fields = transfer_fields,
    .count = G_N_ELEMENTS(transfer_fields),
    .size = sizeof(ScenServing),
};

#define OWN(key, member, ...) SPEC(key, pool.member, SCEN_INT, .max = 65536, __VA_ARGS__)

static const ScenField fields[] = {
    SPEC("engine", engine, SCEN_SECTION, .required = true, .table = &scen_serving_engine_table,
         .help = "the software (orrery list engines)"),
    OWN("tensor", tensor, .min = 1, .fallback = "1", .help = "GPUs that share each layer"),
    OWN("pipeline", pipeline, .min = 1, .fallback = "1", .help = "stages of layers"),
    OWN("data", data, .min = 1, .fallback = "1",
        .help = "ranks of a replica that each attend for their own sequences"),
    OWN("expert", expert, .min = 1, .fallback = "1",
        .help = "ranks that share the experts out; 1: experts are cut like other matrices"),
    OWN("replicas", replicas, .help = "of the model; 0: whatever the GPUs leave (default)"),
    SPEC("prefill", prefill, SCEN_MAP, .table = &prefill_table,
         .help = "replicas that do the prompts; those above then decode"),
    SCEN_GROUP("kv_transfer", &transfer_table,
               .help = "how caches move from prefill to decode replicas"),
    SPEC("router", deployment.router, SCEN_TEXT,
         .help = "which replica gets a request (orrery list routers; default: round-robin)"),
    SPEC("weights", deployment.weights, SCEN_ENUM, .names = weights, .fallback = "bf16",
         .help = "type of the weights"),
    SPEC("kv", deployment.kv, SCEN_ENUM, .names = caches, .fallback = "bf16",
         .help = "type of the KV cache"),
    SPEC("blocks", deployment.blocks, SCEN_INT, .min = 1, .max = 1e9,
         .help = "of KV on one replica (default: what memory leaves)"),
    SPEC("engine_profile", engine_profile, SCEN_TEXT,
         .help = "folder of measured layer times of this very engine"),
    SCEN_GROUP("speculation", &speculation_table, .help = "tokens proposed and verified together"),
    SPEC("expert_power", deployment.expert_power, SCEN_NUMBER, .max = 10.0,
         .help = "exponent of the power law of the experts' load (default: balanced)"),
    SPEC("expert_imbalance", deployment.expert_imbalance, SCEN_NUMBER, .min = 1.0, .max = 1000.0,
         .help =
             "tokens of the fullest expert rank over the mean, after its balancer (default: 1)"),
    SPEC("redundant_experts", deployment.redundant_experts, SCEN_INT, .max = 65536,
         .help = "copies beyond one of each, over all ranks"),
    SPEC("two_batch_overlap", deployment.two_batch_overlap, SCEN_BOOL, .fallback = "false",
         .help = "collectives of one half batch under the compute of the other"),
    SPEC("sparse_2_4", deployment.sparse_2_4, SCEN_BOOL, .fallback = "false",
         .help = "weights pruned 2:4"),
    SCEN_GROUP("offload", &offload_table, .help = "what lives off the GPU (default: nothing)"),
    SCEN_GROUP("autoscale", &autoscale_table, .help = "replicas that come and go with the load"),
    SCEN_GROUP("admission", &admission_table,
               .help = "requests that are turned away, clients that give up"),
    SPEC("failures", failures, SCEN_MAP, .table = &scen_failures_table,
         .help = "replicas that die, stand still or are slow, and what is done about it"),
    SCEN_GROUP("slo", &slo_table, .help = "what the deployment promises"),
    SPEC("warm_up", warm_up_requests, SCEN_INT, .max = 1e12,
         .help = "requests at the start that are left out of the latencies (default: 0)"),
    SPEC("exact", exact, SCEN_BOOL, .fallback = "false",
         .help = "run every iteration, no closed forms (--exact)"),
    SPEC("interval", interval, SCEN_BOOL, .fallback = "true",
         .help = "run again with dearer and cheaper costs, for intervals"),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenServing *serving = out;
    StratSpeculation *speculation = &serving->deployment.speculation;
    (void)map;
    serving->is_on = true;
    scen_bind_path(binder, &serving->engine_profile);
    if (serving->by_position) {
        speculation->by_position = (const double *)(const void *)serving->by_position->data;
        speculation->positions = serving->by_position->len;
    }
}

const ScenTable scen_serving_table = {
    .what = "serve",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenServing),
    .finish = finish,
};

bool scen_serving_promises(const ScenServing *serving)
{
    const StratDeployment *d = &serving->deployment;
    return d->slo_ttft_s > 0.0 || d->slo_tpot_s > 0.0 || d->slo_e2e_s > 0.0;
}

void scen_serving_clear(ScenServing *serving)
{
    g_clear_pointer(&serving->by_position, g_array_unref);
    scen_serve_failures_clear(&serving->failures);
}
