/* Figures of memory: of training by pipeline stage and over a step, of serving by pool. */
#include "scen_explain.h"

#define STATES "Rajbhandari et al. 2020, ZeRO (arXiv 1910.02054), section 3.1"
#define ACTIVATIONS "Korthikanti et al. 2022 (arXiv 2205.05198), sections 4 and 5"
#define PAGES "Kwon et al. 2023, PagedAttention (arXiv 2309.06180), sections 3 and 4"

/* clang-format off */
static const ScenExplained rows[] = {
    {"memory.*.stage", "Memory of a GPU", "pipeline stage that the row is of", NULL, NULL},
    {"memory.*.pool", "Memory", "pool of replicas that the row is of: the one, or prompts and decoding", NULL, NULL},
    {"memory.*.weights_bytes", "Memory of a GPU", "weights that a GPU holds", "parameters of the rank x bytes of one", STATES},
    {"memory.*.gradients_bytes", "Memory of a GPU", "gradients that a GPU holds", "parameters of the rank x bytes of a gradient / ranks that shard them", STATES},
    {"memory.*.optimizer_bytes", "Memory of a GPU", "states of the optimizer and the master weights", "parameters of the rank x bytes of the states / ranks that shard them", STATES},
    {"memory.*.activations_bytes", "Memory of a GPU", "activations at their peak over the schedule; of serving: of the largest iteration", "activations of a layer x layers of a chunk x microbatch chunks in flight", ACTIVATIONS},
    {"memory.*.workspace_bytes", "Memory of a GPU", "what is alive only for a moment: a recomputed layer, logits", NULL, ACTIVATIONS},
    {"memory.*.reserved_bytes", "Memory of a GPU", "what the software keeps for itself: CUDA context, communicators, allocator", NULL, NULL},
    {"memory.*.peak_bytes", "Memory of a GPU", "the sum: what the fullest GPU of the stage holds at most", "weights + gradients + optimizer + activations + workspace + reserved", NULL},
    {"memory.*.capacity_bytes", "Memory of a GPU", "memory of the GPU", NULL, NULL},
    {"memory.*.host_bytes", "Memory of a GPU", "of this GPU in its node's DRAM", NULL, NULL},
    {"memory.*.disk_bytes", "Memory of a GPU", "of this GPU on its node's disks", NULL, NULL},
    {"memory.*.engine_bytes", "Memory", "what the serving engine keeps for itself and leaves free", NULL, NULL},
    {"memory.*.offloaded_bytes", "Memory", "what lives off the GPU", NULL, NULL},
    {"memory.*.cache_bytes", "Memory", "what is left for the KV cache", "capacity - engine - weights - activations", PAGES},
    {"memory.*.blocks", "Memory", "blocks of the KV cache of a replica", "cache / bytes of a block", PAGES},
    {"memory.*.block_tokens", "Memory", "tokens of a block: the engine's", NULL, PAGES},
    {"memory_timeline.*.time_s", "Activations of stage", "when, from the start of the step", NULL, NULL},
    {"memory_timeline.*.stage", "Activations of stage", "stage that the timeline is of: the fullest", NULL, NULL},
    {"memory_timeline.*.activations_bytes", "Activations of stage", "activations held at that time", NULL, ACTIVATIONS},
    {"memory_timeline.*", "Activations of stage", "as of `memory`, at that time (orrery explain memory.*.weights_bytes)", NULL, NULL},
};
/* clang-format on */

const ScenExplainedTable scen_explain_memory = {
    .of = "orrery run of a scenario with plan: or serve:",
    .rows = rows,
    .count = G_N_ELEMENTS(rows),
};
