/* Policies of offloaded runs.
 *
 * FlexGen publishes the policy of each of its runs with prompts of 512 and outputs of 32 tokens
 * (its repository, benchmark/flexgen/bench_suite.py: --percent, --gpu-batch-size,
 * --num-gpu-batches, --pin-weight, --cpu), and which memory the others needed
 * (benchmark/batch_size_table.md). It places whole matrices by the middle of each (flex_opt.py,
 * init_weight_list), so that 20 % of OPT-30B on the GPU are the queries of each layer, 8 %. HF
 * Accelerate fills the GPU, then host memory, then the disk (device_map=auto); ZeRO-Inference keeps
 * nothing on the GPU. Its run with compression of OPT-30B packs the cache only. */
#include "scen_serving_offload.h"

typedef struct Policy {
    const char *engine; /* start of the row's `engine` */
    const char *model;  /* NULL: any */
    const char *offload;
    const char *weights; /* stored otherwise than the row says, NULL: not */
} Policy;

/* First match wins; what is not here fits onto the GPU. */
static const Policy policies[] = {
    {"HF Accelerate",            "opt-30b",  "weights: {host: 1}, pageable: true",                   NULL  },
    {"HF Accelerate",            "opt-175b", "weights: {host: 0.55, disk: 0.45}, pageable: true",    NULL  },
    {"DeepSpeed ZeRO-Inference", "opt-175b", "weights: {disk: 1}",                                   NULL  },
    {"DeepSpeed ZeRO-Inference", NULL,       "weights: {host: 1}",                                   NULL  },
    {"FlexGen (4-bit",           "opt-30b",
     "weights: {host: 1}, cache: {host: 1}, activations: {host: 1}, gpu_batches: 8",                 "fp16"},
    {"FlexGen (4-bit",           "opt-175b",
     "weights: {host: 1}, cache: {host: 1}, activations: {host: 1}, gpu_batches: 3, pageable: true", NULL  },
    {"FlexGen",                  "opt-30b",
     "weights: {host: 0.92}, cache: {host: 1}, activations: {host: 1}, gpu_batches: 3, "
     "host_attention: true",                                                                         NULL  },
    {"FlexGen",                  "opt-175b",
     "weights: {host: 0.5, disk: 0.5}, cache: {disk: 1}, activations: {host: 1}, gpu_batches: 8, "
     "host_attention: true, pageable: true",                                                         NULL  },
};

static const Policy *policy_of(ScenRowWriter *w, const char *model)
{
    const char *engine = scen_row_text(w->row, "engine", "", &w->fault);
    const char *kind = scen_row_text(w->row, "kind", "", &w->fault);
    for (size_t i = 0; g_str_equal(kind, "offload_batch") && i < G_N_ELEMENTS(policies); i++)
        if (g_str_has_prefix(engine, policies[i].engine) &&
            (!policies[i].model || g_str_equal(policies[i].model, model)))
            return &policies[i];
    return NULL;
}

void scen_serving_offload_put(ScenRowWriter *w, const char *model)
{
    const Policy *policy = policy_of(w, model);
    if (!policy)
        return;
    scen_row_put(w, "  offload: {%s}\n", policy->offload);
    scen_row_assume(w, "offload {%s}", policy->offload);
}

const char *scen_serving_offload_weights(ScenRowWriter *w, const char *model)
{
    const Policy *policy = policy_of(w, model);
    return policy ? policy->weights : NULL;
}
