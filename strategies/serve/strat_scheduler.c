/* The rows of the engines' schedulers, in order of appearance. Static and iteration-level batching
 * are the baselines that the papers of the others compare with. */
#include "strat_scheduler.h"

#include "sim_row.h"
#include "strat_schedule.h"

/* clang-format off */
static const StratScheduler schedulers[] = {
    {
        .name = "static",
        .source = "NVIDIA FasterTransformer; Yu 2022 (Orca), section 3.1",
        .holds = true,
        .decide = strat_scheduler_static,
    },
    {
        .name = "orca",
        .source = "Yu 2022, Orca: A Distributed Serving System (OSDI), algorithm 1",
        .decide = strat_scheduler_orca,
    },
    {
        .name = "vllm-v1",
        .source = "vLLM 0.19, vllm/v1/core/sched/scheduler.py",
        .forking = STRAT_FORKING_CHILDREN,
        .decide = strat_scheduler_vllm_v1,
    },
    {
        .name = "triton-dynamic",
        .source = "Triton Inference Server core 01ea7d9, src/dynamic_batch_scheduler.cc",
        .holds = true,
        .decide = strat_scheduler_triton,
    },
    {
        .name = "vllm-v0",
        .source = "vLLM 0.4, vllm/core/scheduler.py, _schedule_default()",
        .late = true,
        .forking = STRAT_FORKING_GROUP,
        .beams = true,
        .decide = strat_scheduler_vllm_v0,
    },
    {
        .name = "sarathi",
        .source = "Sarathi-Serve 13f16cf, sarathi/core/scheduler/sarathi_scheduler.py",
        .late = true,
        .decide = strat_scheduler_sarathi,
    },
    {
        .name = "tgi",
        .source = "Text Generation Inference 3 (1d0847a), backends/v3/src/backend.rs, queue.rs",
        .late = true,
        .forking = STRAT_FORKING_CHILDREN,
        .decide = strat_scheduler_tgi,
    },
    {
        .name = "sglang",
        .source = "SGLang 0.5.9, python/sglang/srt/managers/scheduler.py, schedule_policy.py",
        .late = true,
        .decide = strat_scheduler_sglang,
    },
    {
        .name = "trtllm-guaranteed-no-evict",
        .source = "TensorRT-LLM 02a10fe, cpp/tensorrt_llm/batch_manager/capacityScheduler.cpp",
        .late = true,
        .decide = strat_scheduler_trtllm_no_evict,
    },
    {
        .name = "trtllm-max-utilization",
        .source = "TensorRT-LLM 02a10fe, cpp/tensorrt_llm/batch_manager/capacityScheduler.cpp",
        .late = true,
        .decide = strat_scheduler_trtllm_max_util,
    },
};
/* clang-format on */

const StratScheduler *strat_scheduler_all(size_t *count)
{
    *count = G_N_ELEMENTS(schedulers);
    return schedulers;
}

const StratScheduler *strat_scheduler_by_name(const char *name, GError **error)
{
    return sim_row_by_name(schedulers, G_N_ELEMENTS(schedulers), sizeof schedulers[0], name,
                           "scheduler", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

bool strat_scheduler_forks(const StratScheduler *scheduler, bool samples, bool beams,
                           GError **error)
{
    bool lacks = samples && scheduler->forking == STRAT_FORKING_NONE;
    if (!lacks && !(beams && !scheduler->beams))
        return true;
    g_autoptr(GString) those = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(schedulers); i++)
        if (lacks ? schedulers[i].forking != STRAT_FORKING_NONE : schedulers[i].beams)
            g_string_append_printf(those, " %s", schedulers[i].name);
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                "scheduler %s runs no %s: its engine has none, or it is not modelled; those that "
                "do:%s",
                scheduler->name, lacks ? "requests with several samples" : "beam search",
                those->str);
    return false;
}
